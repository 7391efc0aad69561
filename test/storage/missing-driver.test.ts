import { expect, jest, test } from '@jest/globals';
import { OssFileStorage } from '../../src/storage/index.js';

test('A hub whose optional package is not installed says which command installs it: CC_STORAGE_MISSING', async () => {
  jest.unstable_mockModule('ali-oss', () => {
    throw Object.assign(new Error("Cannot find package 'ali-oss'"), { code: 'ERR_MODULE_NOT_FOUND' });
  });
  const storage = new OssFileStorage({ endpoint: 'http://127.0.0.1:1', bucket: 'b', accessKeyId: 'id', accessKeySecret: 'secret' });
  await expect(storage.head('x')).rejects.toMatchObject({ code: 'CC_STORAGE_MISSING', message: 'CC_STORAGE_MISSING: The storage driver is not installed. Run: npm install ali-oss' });
});
