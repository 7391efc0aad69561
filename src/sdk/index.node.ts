/** `cross-comm/sdk` for Node: the browser's API with files by path, over `ws`. */
export { CrossCommClient, type NodeClientOptions } from './cross-comm-client.node.js';
export type { FileStorageChoice } from './files.node.js';
export * from './public-api.js';
