import { IsBoolean, IsIn, IsInt, IsNumber, IsString, Max, Min, MinLength } from 'class-validator';

/** Registry, presence and heartbeat. */
export class ClientsOptions {
  /** Folder of everything the hub keeps: presence, embedded files and their keys. Default `./cross-comm-data`. */
  @IsString()
  @MinLength(1)
  dataDir: string = './cross-comm-data';

  /** Whether presence is kept in `cross_comm_clients.yaml` in the data dir. Default true. */
  @IsBoolean()
  persistPresence: boolean = true;

  /**
   * Time after which a change of presence is written, in milliseconds. Default 500; longer by itself, up to 30 s, where
   * writing takes long, so that it never takes more than a twentieth of the time.
   */
  @IsInt()
  @Min(0)
  @Max(60_000)
  presenceDebounceMs: number = 500;

  /** Heartbeat interval told to clients that announced protocol 2, in **seconds** as in Python. Default 30. */
  @IsNumber()
  @Min(0.05)
  heartbeatInterval: number = 30;

  /**
   * Silence after which a client is offline and its socket closed, in **seconds** as in Python. Default 60.
   * Found out within one second more. Unmodified clients send a heartbeat every 30 s.
   */
  @IsNumber()
  @Min(0.1)
  heartbeatTimeout: number = 60;

  /** Time in which a new connection must log in, in milliseconds. Default 10,000. */
  @IsInt()
  @Min(10)
  loginTimeoutMs: number = 10_000;

  /** A second login with an id that is online: the newest wins (`replace`, as in Python) or is refused. */
  @IsIn(['replace', 'reject'])
  duplicateLogin: 'replace' | 'reject' = 'replace';

  /** Clients remembered while offline; beyond it the one that was seen longest ago is forgotten. Default 100,000. */
  @IsInt()
  @Min(1)
  maxRememberedClients: number = 100_000;
}
