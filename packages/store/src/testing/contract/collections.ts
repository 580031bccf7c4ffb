import assert from "node:assert/strict";
import { type CaseBody, EMBEDDER, fails, only, record, collect } from "./contract-case.ts";

export const COLLECTIONS: Readonly<Record<string, CaseBody>> = {
  "ping resolves, and the incarnation is stable": async (bench) => {
    await bench.store.ping();
    const first = bench.store.incarnation();
    await bench.store.ping();
    assert.equal(bench.store.incarnation(), first);
    assert.ok(first === undefined || first.length > 0);
  },

  "the limits are usable": async (bench) => {
    assert.ok(bench.store.limits.batchRecordsMax >= 1);
    assert.ok(bench.store.limits.batchBytesMax >= 1_024 * 1_024);
  },

  "a collection records who made its vectors": async (bench) => {
    const embedder = { provider: "p/q", model: 'ключ "m" v1.0', dimension: 7 };
    const created = await bench.create({ embedder, distance: "l2" });
    assert.deepEqual(created.info.embedder, embedder);
    const opened = await bench.store.openCollection(created.info.name);
    assert.deepEqual(opened.info, created.info);
    const listed = await bench.store.listCollections();
    assert.deepEqual(
      listed.filter(({ name }) => name === created.info.name),
      [created.info],
    );
  },

  "a collection can be made as another was": async (bench) => {
    for (const distance of ["cosine", "l2", "ip"] as const) {
      const { info } = await bench.create({ distance });
      const { name: _name, ...form } = info;
      assert.deepEqual(JSON.parse(JSON.stringify(form)), form, "a form is plain JSON");
      const { info: alike } = await bench.create(form);
      assert.deepEqual(alike, { ...info, name: alike.name });
    }
    const unsigned = await bench.create({ embedder: undefined });
    assert.equal((await bench.store.openCollection(unsigned.info.name)).info.embedder, undefined);
  },

  "all collections are listed": async (bench) => {
    const names: string[] = [];
    for (let index = 0; index < 12; index += 1) names.push((await bench.create()).info.name);
    const listed = new Set((await bench.store.listCollections()).map(({ name }) => name));
    assert.deepEqual(
      names.filter((name) => !listed.has(name)),
      [],
    );
  },

  "creating what exists is refused and harms nothing": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a")]);
    const error = await fails(
      bench.store.createCollection({ name: collection.info.name, embedder: EMBEDDER }),
      "COLLECTION_EXISTS",
    );
    assert.equal(error.verdict, "callers-fault");
    assert.equal(await collection.count(), 1);
  },

  "what is missing cannot be opened, renamed or deleted": async (bench) => {
    const missing = bench.name();
    const error = await fails(bench.store.openCollection(missing), "COLLECTION_NOT_FOUND");
    assert.equal(error.verdict, "permanent");
    await fails(bench.store.renameCollection(missing, bench.name()), "COLLECTION_NOT_FOUND");
    await fails(bench.store.deleteCollection(missing), "COLLECTION_NOT_FOUND");
  },

  "deleting takes the records along, and the name is free again": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a")]);
    await bench.store.deleteCollection(collection.info.name);
    await fails(bench.store.openCollection(collection.info.name), "COLLECTION_NOT_FOUND");
    const again = await bench.create({ name: collection.info.name });
    assert.equal(await again.count(), 0);
  },

  "renaming keeps the content and frees the name": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { n: 1 } })]);
    const to = bench.name();
    await bench.store.renameCollection(collection.info.name, to);
    await fails(bench.store.openCollection(collection.info.name), "COLLECTION_NOT_FOUND");
    const renamed = await bench.store.openCollection(to);
    assert.deepEqual(renamed.info, { ...collection.info, name: to });
    assert.deepEqual((await only(renamed, "a")).metadata, { n: 1 });
  },

  "renaming onto a name that is taken is refused": async (bench) => {
    const first = await bench.create();
    const second = await bench.create();
    await first.upsert([record("a")]);
    await fails(
      bench.store.renameCollection(first.info.name, second.info.name),
      "COLLECTION_EXISTS",
    );
    assert.equal(await (await bench.store.openCollection(first.info.name)).count(), 1);
    assert.equal(await (await bench.store.openCollection(second.info.name)).count(), 0);
  },

  "a handle follows its collection through a rename": async (bench) => {
    const handle = await bench.create();
    await handle.upsert([record("a")]);
    const { name } = handle.info;
    const to = bench.name();
    await bench.store.renameCollection(name, to);
    await bench.create({ name });
    await handle.upsert([record("b")]);
    assert.equal(await handle.count(), 2);
    assert.equal(await (await bench.store.openCollection(to)).count(), 2);
    assert.equal(await (await bench.store.openCollection(name)).count(), 0);
  },

  "a handle finds the collection that was made anew under its name": async (bench) => {
    const handle = await bench.create();
    await handle.upsert([record("a")]);
    await bench.store.deleteCollection(handle.info.name);
    const anew = await bench.create({ name: handle.info.name });
    await handle.upsert([record("b"), record("c")]);
    assert.equal(await anew.count(), 2);
    assert.equal(await handle.count(), 2);
    assert.equal((await handle.query(record("b").embedding, { limit: 5 })).length, 2);
  },

  "a handle whose collection is gone says so, whatever it is asked": async (bench) => {
    const handle = await bench.create();
    await bench.store.deleteCollection(handle.info.name);
    const { embedding } = record("a");
    await fails(handle.upsert([record("a")]), "COLLECTION_NOT_FOUND");
    await fails(handle.get(["a"]), "COLLECTION_NOT_FOUND");
    await fails(handle.query(embedding, { limit: 1 }), "COLLECTION_NOT_FOUND");
    await fails(handle.delete(["a"]), "COLLECTION_NOT_FOUND");
    await fails(handle.count(), "COLLECTION_NOT_FOUND");
    await fails(collect(handle.scan()), "COLLECTION_NOT_FOUND");
  },

  "a handle does not write one model's vectors among another's": async (bench) => {
    const handle = await bench.create();
    await bench.store.deleteCollection(handle.info.name);
    const anew = await bench.create({
      name: handle.info.name,
      embedder: { ...EMBEDDER, model: "other" },
    });
    await fails(handle.upsert([record("a")]), "EMBEDDER_MISMATCH");
    assert.equal(await anew.count(), 0);
  },
};
