/** For those who write a store of their own: what memory expects of it, and a fake that keeps it. */
export {
  type ContractCase,
  type FaultHook,
  InMemoryVectorStore,
  vectorStoreContract,
} from "@holdfast/store/testing";
