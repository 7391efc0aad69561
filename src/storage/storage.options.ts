import { IsIn, IsInt, IsOptional, IsString, IsUrl, Matches, Max, Min } from 'class-validator';

/** Which storage is used: the hub's own object store, an Alibaba Cloud OSS bucket, or none. */
export type StorageDriver = 'embedded' | 'oss' | 'none';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const DAY_MS = 86_400_000;

/**
 * The options of the file storage; the field initialisers are the defaults. Sizes in bytes, durations in milliseconds.
 */
export class StorageOptions {
  /**
   * `embedded`: an OSS-compatible object store on local disk, below the hub's own HTTP port.
   * `oss`: a bucket, with the four `OSS_*` settings. `none`: messages only; files are refused.
   */
  @IsIn(['embedded', 'oss', 'none'])
  driver: StorageDriver = 'embedded';

  /** Where the embedded store keeps objects and its generated keys. */
  @IsString()
  directory = './cross-comm-data/storage';

  /** Name of the embedded store's only bucket: 3 to 63 lower-case letters, digits and hyphens. */
  @Matches(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/)
  bucket = 'cross-comm';

  /** Base of signed URLs of the embedded store, e.g. `https://hub.example.com`; without it they begin with `/`. */
  @IsOptional()
  @IsUrl({ require_tld: false, require_protocol: true, protocols: ['http', 'https'] })
  publicBaseUrl?: string;

  /** Largest object; OSS itself allows 5 GiB in one PUT. */
  @IsInt()
  @Min(1)
  maxObjectBytes: number = 5 * GIB;

  /** Most parts of one multipart upload; 10,000 is the OSS limit. */
  @IsInt()
  @Min(1)
  @Max(10_000)
  maxParts = 10_000;

  /** Multipart uploads that are open at one time. */
  @IsInt()
  @Min(1)
  maxOpenUploads = 10_000;

  /** Largest XML request body (CompleteMultipartUpload, Delete). 1 MiB holds 10,000 parts. */
  @IsInt()
  @Min(1_024)
  maxXmlBytes: number = MIB;

  /** How far a request's date may be from the hub's clock, either way. OSS: 15 minutes. */
  @IsInt()
  @Min(0)
  signatureSkewMs = 900_000;

  /** Longest validity of a signed URL. OSS V4: 7 days. */
  @IsInt()
  @Min(1_000)
  maxUrlValidityMs: number = 7 * DAY_MS;

  /** A request on which nothing moves for so long is cut. */
  @IsInt()
  @Min(1_000)
  idleTimeoutMs = 60_000;

  /** Multipart uploads without any new part for so long are removed with their parts. */
  @IsInt()
  @Min(60_000)
  staleUploadMs: number = 7 * DAY_MS;
}
