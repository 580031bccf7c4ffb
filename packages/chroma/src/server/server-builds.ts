/** A server build that runs on older C libraries than Chroma's current one. */
export interface PinnedBuild {
  package: string;
  version: string;
  /** The registry's own hash of the package; npm refuses anything else. */
  integrity: string;
  cpu: string;
  /** Bytes of the download and on disk, for the progress line and the space check. */
  downloadBytes: number;
  installedBytes: number;
}

/** By {@link hostOf}. Both need glibc 2.34 (2021) at least; Chroma's current one needs 2.39. */
export const SERVER_BUILDS: Readonly<Record<string, PinnedBuild>> = {
  "linux-x64-glibc": {
    package: "chromadb-js-bindings-linux-x64-gnu",
    version: "1.0.5",
    integrity:
      "sha512-bIigJ+gyNZz8p3wr/zcJZTlKL7p2TVEyT7EfW9lWpdvkajPke8Q+b87aDJaPs6NuGxLcXxPHMRpS3zHWplZbdw==",
    cpu: "x64",
    downloadBytes: 110_000_000,
    installedBytes: 437_000_000,
  },
  "linux-arm64-glibc": {
    package: "chromadb-js-bindings-linux-arm64-gnu",
    version: "1.0.1",
    integrity:
      "sha512-M6i5UMMrQWao70Ic3R/QI8IJpvoFfysaLwQ5LDvs77M3TITguImLUk8nRmC+8Vt9e97zIMg2llHMy87gzTUvJA==",
    cpu: "arm64",
    downloadBytes: 108_000_000,
    installedBytes: 437_000_000,
  },
};

/** This machine as the builds name it: `linux-x64-glibc`, `linux-x64-musl`, `darwin-arm64` … */
export function hostOf(): string {
  const host = `${process.platform}-${process.arch}`;
  if (process.platform !== "linux") return host;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `${host}-${report.header?.glibcVersionRuntime === undefined ? "musl" : "glibc"}`;
}
