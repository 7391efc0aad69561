import { IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { PROTOCOL_LIMITS } from '../protocol/index.js';

/** The WebSocket door and its limits. */
export class GatewayOptions {
  /**
   * Own port of the hub; 0 takes a free one. Undefined (default): the HTTP server of the Nest application is shared.
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(65_535)
  port: number | undefined = undefined;

  /** Address the own port listens on. Default `0.0.0.0`, all interfaces. */
  @IsString()
  host: string = '0.0.0.0';

  /**
   * Path of the WebSocket. Undefined (default): any path on an own port, as the Python server does, and `/` on a shared
   * server, because installed clients connect to `/`.
   */
  @IsOptional()
  @Matches(/^\//, { message: 'path must start with "/"' })
  path: string | undefined = undefined;

  /** Certificate chain file (PEM) for `wss` on an own port. Needs `tlsKeyFile`. */
  @IsOptional()
  @IsString()
  tlsCertFile: string | undefined = undefined;

  /** Private key file (PEM) for `wss` on an own port. Read again when it changes, as the other files. */
  @IsOptional()
  @IsString()
  tlsKeyFile: string | undefined = undefined;

  /** Certificates (PEM) of those whose client certificates are good. Needs `tlsClientCert`. */
  @IsOptional()
  @IsString()
  tlsClientCaFile: string | undefined = undefined;

  /**
   * Whether clients show a certificate (mTLS) on an own port: `required` lets nobody in without a good one, `optional` treats
   * one that is no good as none. `auth.certificates` makes logins of them. Default `off`.
   */
  @IsIn(['off', 'optional', 'required'])
  tlsClientCert: 'off' | 'optional' | 'required' = 'off';

  /** How often the TLS files are looked at for a change, in milliseconds. Default 5,000. */
  @IsInt()
  @Min(50)
  @Max(3_600_000)
  tlsReloadMs: number = 5_000;

  /** Time a peer has for TLS and then for the head of its HTTP request, on an own port, in milliseconds. Default 10,000. */
  @IsInt()
  @Min(100)
  @Max(300_000)
  handshakeTimeoutMs: number = 10_000;

  /** Origins of browser pages that may connect, e.g. `https://app.example.com`; `*` for all. Default none. */
  @IsArray()
  @IsString({ each: true })
  allowedOrigins: string[] = [];

  /** Largest message, in bytes after inflation; larger ones close the connection with 1009. Default 1,048,576. */
  @IsInt()
  @Min(4_096)
  @Max(256 * 1024 * 1024)
  maxMessageBytes: number = PROTOCOL_LIMITS.maxMessageBytes;

  /** Largest frame, and all bytes together, before login. Default 4,096. */
  @IsInt()
  @Min(512)
  maxLoginBytes: number = PROTOCOL_LIMITS.maxLoginBytes;

  /** Frames before login, pings and pongs included; one more closes the connection with 4029. Default 16. */
  @IsInt()
  @Min(1)
  maxLoginFrames: number = 16;

  /** Objects and arrays inside each other in one content. Default 128. */
  @IsInt()
  @Min(1)
  @Max(1_000)
  maxNestingDepth: number = PROTOCOL_LIMITS.maxNestingDepth;

  /** Bytes that may wait for one receiver before its connection is closed with 4013. Default 4 MiB. */
  @IsInt()
  @Min(65_536)
  maxBufferedBytes: number = 4 * 1024 * 1024;

  /**
   * Bytes that may wait for one receiver before `slowReceiver` applies; at most `maxBufferedBytes`. Default 1 MiB, or
   * `maxBufferedBytes` where that is less.
   */
  @IsInt()
  @Min(65_536)
  softBufferedBytes: number = 1024 * 1024;

  /**
   * What is done beyond `softBufferedBytes` for a receiver that does not read. `close` (default): nothing, until it is
   * closed at `maxBufferedBytes`. `drop_oldest`: its newest live messages, `softBufferedBytes` of them, are kept apart until
   * it reads; older ones are dropped, and counted. `block_sender`: live messages to it wait at their
   * senders, who are not read until the receiver has caught up or is closed.
   */
  @IsIn(['close', 'drop_oldest', 'block_sender'])
  slowReceiver: 'close' | 'drop_oldest' | 'block_sender' = 'close';

  /** With `block_sender`: time beyond `softBufferedBytes` after which the receiver is closed with 4013, in milliseconds. Default 10,000. */
  @IsInt()
  @Min(100)
  slowReceiverTimeoutMs: number = 10_000;

  /** Compress frames (permessage-deflate) of at least 1 KiB. Costs much CPU and memory. Default false. */
  @IsBoolean()
  compression: boolean = false;

  /** Seconds for which the URLs signed for clients are valid. Default 900. */
  @IsInt()
  @Min(10)
  @Max(604_800)
  signedUrlSeconds: number = 900;

  /** Time a peer has to answer our close before its TCP is cut, in milliseconds. Default 1,000. */
  @IsInt()
  @Min(0)
  closeTimeoutMs: number = 1_000;

  /** Time all connections have to take what is buffered for them at shutdown, in milliseconds. Default 5,000. */
  @IsInt()
  @Min(0)
  shutdownTimeoutMs: number = 5_000;
}
