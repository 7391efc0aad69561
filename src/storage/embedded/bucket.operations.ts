import { sendXml, type Operation } from './operation.js';
import { xmlTime, type XmlElement } from './oss-xml-writer.js';

/** The store has no real region; this is the default of the SDKs. */
const LOCATION = 'oss-cn-hangzhou';

const OWNER: XmlElement = [
  'Owner',
  [
    ['ID', 'cross-comm'],
    ['DisplayName', 'cross-comm'],
  ],
];

/** ListBuckets: the only one. */
export function listBuckets({ res, options, req }: Operation): void {
  sendXml(res, [
    'ListAllMyBucketsResult',
    [
      OWNER,
      ['Prefix', ''],
      ['Marker', ''],
      ['MaxKeys', 100],
      ['IsTruncated', false],
      ['Buckets', [['Bucket', bucketFields(options.bucket, req.headers.host)]]],
    ],
  ]);
}

/** GetBucketInfo */
export function bucketInfo({ res, bucket, req }: Operation): void {
  sendXml(res, ['BucketInfo', [['Bucket', [...bucketFields(bucket, req.headers.host), OWNER, ['AccessControlList', [['Grant', 'private']]]]]]]);
}

/** GetBucketLocation */
export function bucketLocation({ res }: Operation): void {
  sendXml(res, ['LocationConstraint', LOCATION]);
}

/** GetBucketAcl and GetObjectAcl */
export function accessControl({ res }: Operation): void {
  sendXml(res, ['AccessControlPolicy', [OWNER, ['AccessControlList', [['Grant', 'private']]]]]);
}

function bucketFields(name: string, host: string | undefined): XmlElement[] {
  const endpoint = host ?? '';
  return [
    ['Name', name],
    ['Location', LOCATION],
    ['CreationDate', xmlTime(0)],
    ['ExtranetEndpoint', endpoint],
    ['IntranetEndpoint', endpoint],
    ['StorageClass', 'Standard'],
  ];
}
