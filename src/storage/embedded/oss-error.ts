/** HTTP status and default message of the error codes that the embedded store answers with; names as in OSS. */
const OSS_ERRORS = {
  AccessDenied: { status: 403, message: 'You have no right to access this object.' },
  BadDigest: { status: 400, message: 'The Content-MD5 you specified did not match what was received.' },
  EntityTooLarge: { status: 400, message: 'The object or the request body is larger than the store allows.' },
  FileAlreadyExists: { status: 409, message: 'The object you specified already exists and can not be overwritten.' },
  IncompleteBody: { status: 400, message: 'The body has not the length that was announced.' },
  InternalError: { status: 500, message: 'The store failed inside.' },
  InvalidAccessKeyId: { status: 403, message: 'The OSS Access Key Id you provided does not exist in our records.' },
  InvalidArgument: { status: 400, message: 'An argument of the request is not valid.' },
  InvalidDigest: { status: 400, message: 'The Content-MD5 you specified was invalid.' },
  InvalidObjectName: { status: 400, message: 'The specified object is not valid.' },
  InvalidPart: { status: 400, message: 'One or more of the specified parts could not be found or the specified entity tag did not match.' },
  InvalidPartOrder: { status: 400, message: 'The list of parts was not in ascending order.' },
  InvalidRange: { status: 416, message: 'The requested range cannot be satisfied.' },
  InvalidURI: { status: 400, message: 'The URI could not be parsed.' },
  MalformedXML: { status: 400, message: 'The XML you provided was not well-formed or did not validate against our published schema.' },
  MethodNotAllowed: { status: 405, message: 'The specified method is not allowed against this resource.' },
  NoSuchBucket: { status: 404, message: 'The specified bucket does not exist.' },
  NoSuchKey: { status: 404, message: 'The specified key does not exist.' },
  NoSuchUpload: { status: 404, message: 'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.' },
  NotImplemented: { status: 501, message: 'This store does not offer that operation.' },
  PreconditionFailed: { status: 412, message: 'At least one of the pre-conditions you specified did not hold.' },
  RequestTimeTooSkewed: { status: 403, message: 'The difference between the request time and the current time is too large.' },
  SignatureDoesNotMatch: { status: 403, message: 'The request signature we calculated does not match the signature you provided. Check your key and signing method.' },
  TooManyUploads: { status: 503, message: 'Too many multipart uploads are open. Complete or abort some.' },
} as const satisfies Record<string, { status: number; message: string }>;

/** One of the error codes of the store. */
export type OssErrorCode = keyof typeof OSS_ERRORS;

/** A refusal of the embedded store, answered as an OSS error document. */
export class OssError extends Error {
  override readonly name = 'OssError';
  /** HTTP status. */
  readonly status: number;

  constructor(
    readonly code: OssErrorCode,
    message?: string,
    options?: ErrorOptions,
  ) {
    super(message ?? OSS_ERRORS[code].message, options);
    this.status = OSS_ERRORS[code].status;
  }
}
