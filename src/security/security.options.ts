import { IsArray, IsInt, IsNumber, IsString, Max, Min } from 'class-validator';

/** How much one client, one address and all together may ask of the hub. 0 switches a limit off. */
export class SecurityOptions {
  /** Open connections in all; a further one is answered 503 at the upgrade. Default 100,000. */
  @IsInt()
  @Min(0)
  maxConnections: number = 100_000;

  /**
   * Open connections from one address (of IPv6 its /64); a further one is answered 429 at the upgrade. Default 0, off: a proxy, or
   * programs on the hub's own machine, share one address.
   */
  @IsInt()
  @Min(0)
  maxConnectionsPerAddress: number = 0;

  /** Logins per second from one address, on average; further ones are refused and closed with 4029. Default 100. */
  @IsNumber()
  @Min(0)
  loginsPerSecond: number = 100;

  /** Logins from one address that may come at once after a quiet time. Default 2,000. */
  @IsInt()
  @Min(1)
  loginBurst: number = 2_000;

  /**
   * Messages per second from one client, on average, after a burst of two seconds' worth. Over it the hub stops reading
   * that client until the budget has refilled; nothing is lost. Default 2,000.
   */
  @IsNumber()
  @Min(0)
  messagesPerSecond: number = 2_000;

  /** Bytes of messages per second from one client, likewise. Default 16 MiB. */
  @IsNumber()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  bytesPerSecond: number = 16 * 1024 * 1024;

  /**
   * Seconds for which a client may go over its rate again and again, without as much as two seconds below it; then its
   * connection is closed with 4029. Default 600.
   */
  @IsNumber()
  @Min(0)
  abuseSeconds: number = 600;

  /**
   * Addresses, or networks like `10.0.0.0/8`, of proxies whose `X-Forwarded-For` tells the client's address. Default none:
   * the address is that of the socket, and the header is not looked at, because anyone can send one.
   */
  @IsArray()
  @IsString({ each: true })
  trustedProxies: string[] = [];
}
