import { accessControl, bucketInfo, bucketLocation, listBuckets } from './bucket.operations.js';
import { listObjects, listObjectsV2 } from './list.operations.js';
import { abortUpload, completeUpload, initiateUpload, listParts, listUploads, uploadPart } from './multipart.operations.js';
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from './object.operations.js';
import { sendEmpty, type Operation } from './operation.js';
import { OssError } from './oss-error.js';

/** Parameters that turn a request into another operation; those not handled below must not fall through to GET or PUT. */
const NOT_OFFERED = [
  'append', 'asyncFetch', 'cname', 'comp', 'cors', 'encryption', 'inventory', 'lifecycle', 'live', 'logging', 'metaQuery',
  'policy', 'qos', 'qosInfo', 'referer', 'replication', 'requestPayment', 'resourceGroup', 'restore', 'stat', 'status',
  'style', 'symlink', 'tagging', 'transferAcceleration', 'versionId', 'versioning', 'versions', 'vod', 'website', 'worm',
  'x-oss-process',
]; // prettier-ignore

/** Runs the operation that a request asks for. @throws OssError */
export async function routeOperation(operation: Operation): Promise<void> {
  const { request, bucket, key, options } = operation;
  if (NOT_OFFERED.some((name) => request.query.has(name))) throw new OssError('NotImplemented');
  if (bucket === '') return serviceOperation(operation);
  if (bucket !== options.bucket) throw new OssError('NoSuchBucket');
  return key === '' ? bucketOperation(operation) : objectOperation(operation);
}

function serviceOperation(operation: Operation): void {
  if (operation.request.method !== 'GET') throw new OssError('MethodNotAllowed');
  listBuckets(operation);
}

async function bucketOperation(operation: Operation): Promise<void> {
  const { res } = operation;
  const { method, query } = operation.request;
  if (method === 'POST' && query.has('delete')) return deleteObjects(operation);
  if (method === 'HEAD') return sendEmpty(res, 200);
  // Scripts create their bucket at start; it exists already, and so they succeed.
  if (method === 'PUT' && query.size === 0) return sendEmpty(res, 200);
  if (method !== 'GET') throw new OssError('MethodNotAllowed');
  if (query.has('bucketInfo')) return bucketInfo(operation);
  if (query.has('location')) return bucketLocation(operation);
  if (query.has('acl')) return accessControl(operation);
  if (query.has('uploads')) return listUploads(operation);
  return query.get('list-type') === '2' ? listObjectsV2(operation) : listObjects(operation);
}

async function objectOperation(operation: Operation): Promise<void> {
  const { req } = operation;
  const { method, query } = operation.request;
  const hasUpload = query.has('uploadId');
  const copies = req.headers['x-oss-copy-source'] !== undefined;
  switch (method) {
    case 'PUT':
      if (query.has('acl') || (hasUpload && copies)) throw new OssError('NotImplemented');
      if (hasUpload) return uploadPart(operation);
      return copies ? copyObject(operation) : putObject(operation);
    case 'GET':
      if (query.has('acl')) return accessControl(operation);
      return hasUpload ? listParts(operation) : getObject(operation);
    case 'HEAD':
      return getObject(operation);
    case 'DELETE':
      return hasUpload ? abortUpload(operation) : deleteObject(operation);
    case 'POST':
      if (query.has('uploads')) return initiateUpload(operation);
      if (hasUpload) return completeUpload(operation);
      throw new OssError('NotImplemented');
    default:
      throw new OssError('MethodNotAllowed');
  }
}
