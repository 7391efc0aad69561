import { describe, expect, test } from '@jest/globals';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { announcing } from '../support/wire.js';

describe('File actions of a hostile client', () => {
  const KEY = 'cross_comm/eve/1_00000000.bin';
  test.each([
    ['files.sign', { requests: [null] }, 'CC_INVALID_CONTENT'],
    ['files.sign', { requests: [{ method: 'GET', key: 'cross_comm/\ud800' }] }, 'CC_UNSAFE_PATH'],
    ['files.sign', { requests: [{ method: 'PUT', key: KEY, upload_id: '\ud800', part_number: 1 }] }, 'CC_INVALID_CONTENT'],
    ['files.sign', { requests: [{ method: 'PUT', key: KEY, upload_id: 'x'.repeat(300), part_number: 1 }] }, 'CC_INVALID_CONTENT'],
    ['files.sign', { requests: [{ method: 'PUT', key: 'cross_comm/bob/1_00000000.bin' }] }, 'CC_STORAGE_DENIED'],
    ['files.head', { key: 'cross_comm/eve/../bob/x' }, 'CC_UNSAFE_PATH'],
    ['files.list', { prefix: 'cross_comm/bob/' }, 'CC_STORAGE_DENIED'],
    ['files.complete_multipart', { key: KEY, upload_id: 'OPEN', parts: [null] }, 'CC_INVALID_CONTENT'],
    ['files.complete_multipart', { key: KEY, upload_id: 'OPEN', parts: [{ part_number: 1, etag: 'not there' }] }, 'CC_INVALID_CONTENT'],
    ['files.begin_multipart', { key: KEY }, 'CC_LIMIT_REACHED'],
  ])('%s %j is refused with %s and is no failure in the log', async (action, data, code) => {
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const { url } = await openHub({ log: true, storage: { driver: 'embedded', maxOpenUploads: 1 } });
    const eve = await RawClient.connect(url);
    await eve.login('eve', announcing());
    const ask = async (name: string, given: object): Promise<unknown> => {
      eve.send({ msg_type: 'request', content: { action: name, data: given } });
      return (await eve.next()).content;
    };
    const { upload_id } = ((await ask('files.begin_multipart', { key: KEY })) as { data: { upload_id: string } }).data;
    expect(await ask(action, 'upload_id' in data && data.upload_id === 'OPEN' ? { ...data, upload_id } : data)).toMatchObject({ code });
    expect(logger.errors).toEqual([]);
  });
});
