export type { ContractCase } from "./contract/contract-case.ts";
export type { FaultHook, FaultPoint, StoreOperation } from "./fault-gate.ts";
export {
  type InMemoryStoreOptions,
  InMemoryVectorStore,
  type RawCollection,
  type RawRecord,
} from "./in-memory-vector-store.ts";
export { vectorStoreContract } from "./vector-store-contract.ts";
