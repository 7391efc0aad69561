import { isIP } from 'node:net';
import { CrossCommError } from '../protocol/index.js';

/** Where a bucket is reached, and how. */
export interface OssEndpoint {
  /** With scheme, e.g. `https://oss-cn-hangzhou.aliyuncs.com`. */
  readonly url: string;
  /** `oss-cn-hangzhou` from the host name; `undefined` when it does not tell. */
  readonly region: string | undefined;
  /** `/<bucket>/<key>` instead of `<bucket>.<host>/<key>`. */
  readonly pathStyle: boolean;
}

/**
 * Reads an `OSS_ENDPOINT`. Without a scheme it is https. Alibaba's own hosts are addressed as `<bucket>.<host>`;
 * anything else (the embedded store, by address or name) by path, because such names rarely have a wildcard entry.
 *
 * @throws CrossCommError `CC_INVALID_OPTION` when it is no http or https address
 */
export function parseOssEndpoint(text: string): OssEndpoint {
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  } catch (cause) {
    throw new CrossCommError('CC_INVALID_OPTION', { detail: 'The OSS endpoint is not an address.', cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new CrossCommError('CC_INVALID_OPTION', 'The OSS endpoint must begin with http:// or https://.');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isAlibaba = isIP(host) === 0 && /(?:^|\.)(?:aliyuncs|aliyun-inc)\.com$/i.test(host);
  const region = /^(oss-[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$/i.exec(host)?.[1];
  return { url: url.origin, region: region?.startsWith('oss-accelerate') ? undefined : region, pathStyle: !isAlibaba };
}
