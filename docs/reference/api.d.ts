// The public API of Millrace. Written by scripts/api.ts --write: a change here is a change of the API.

class Archive {
    readonly store: ObjectStore;
    constructor(store: ObjectStore);
    get url(): string;
    list(level: number, from?: Txid): Promise<readonly LtxFile[]>;
    listAll(): Promise<readonly LtxFile[]>;
    head(): Promise<LtxFile | null>;
    find(level: number, minTxid: Txid, maxTxid?: Txid): Promise<LtxFile | null>;
    put(level: number, header: LtxHeader, body: PutBody, options: ArchivePutOptions): Promise<PutOutcome>;
    readHeader(file: LtxFile, signal?: AbortSignal): Promise<LtxHeaderRead>;
    read(file: LtxFile, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>;
    identity(): Promise<ArchiveIdentity | null>;
    createIdentity(identity: ArchiveIdentity, signal?: AbortSignal): Promise<'created' | 'exists'>;
}

interface ArchiveSummary {
    readonly url: string;
    readonly identity: ArchiveIdentity | null;
    readonly files: readonly LtxFile[];
    readonly bytes: number;
    readonly levels: readonly LevelSummary[];
    readonly txids: readonly Txid[];
    readonly first: Moment | null;
    readonly last: Moment | null;
    readonly gaps: readonly TxidRange[];
    readonly head: Txid | null;
}

class Bug extends Error {
    readonly name = "Bug";
}

interface Chance {
    u32(): number;
    bytes(count: number): Uint8Array;
}

interface Clock {
    wallMs(): WallMs;
    monoMs(): MonoMs;
    sleep(ms: number, signal?: AbortSignal): Promise<void>;
    yield(): Promise<void>;
}

interface Databases {
    probe(path: string): DatabaseProbe;
    open(path: string): DatabaseHandle;
    settle(path: string): boolean;
    watch(path: string, onChange: () => void): Closer;
}

class Fault extends Error {
    readonly name = "Fault";
    readonly kind: FaultKind;
    readonly code: string;
    readonly hint: string | undefined;
    readonly details: Readonly<Record<string, string | number | boolean>>;
    constructor(kind: FaultKind, code: string, message: string, options?: FaultOptions);
}

type FaultKind = 'invalid' | 'unavailable' | 'conflict' | 'fenced' | 'gap' | 'corrupt';

interface FaultOptions {
    readonly hint?: string;
    readonly cause?: unknown;
    readonly details?: Readonly<Record<string, string | number | boolean>>;
}

interface Files {
    stat(path: string): FileStat | null;
    list(dir: string): readonly string[] | null;
    mkdir(dir: string): Promise<void>;
    open(path: string, how: 'read' | 'write' | 'create'): Fd;
    size(fd: Fd): number;
    read(fd: Fd, into: Uint8Array, at: number): number;
    write(fd: Fd, bytes: Uint8Array, at: number): void;
    truncate(fd: Fd, size: number): void;
    fsync(fd: Fd): Promise<void>;
    close(fd: Fd): void;
    link(from: string, to: string): boolean;
    rename(from: string, to: string): void;
    remove(path: string): boolean;
    touch(path: string, mtimeMs: number): void;
    own(path: string, owner: {
        readonly mode: number;
        readonly uid: number;
        readonly gid: number;
    }): void;
    fsyncDir(dir: string): Promise<void>;
    freeBytes(path: string): number;
    lock(path: string): Closer | null;
}

interface Log {
    debug(message: string, fields?: LogFields): void;
    info(message: string, fields?: LogFields): void;
    warn(message: string, fields?: LogFields): void;
    error(message: string, fields?: LogFields): void;
}

type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

interface Machine {
    readonly clock: Clock;
    readonly chance: Chance;
    readonly files: Files;
    readonly databases: Databases;
    readonly log: Log;
}

interface MachineOptions {
    readonly logLevel?: LogLevel;
    readonly logFormat?: 'json' | 'text';
    readonly logTo?: {
        write(line: string): unknown;
    };
}

interface ObjectStore {
    readonly url: string;
    readonly capabilities: StoreCapabilities;
    put(key: string, body: PutBody, options?: PutOptions): Promise<PutOutcome>;
    get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredObject | null>;
    head(key: string): Promise<(ObjectInfo & {
        readonly etag: string;
    }) | null>;
    list(prefix: string, startAfter?: string): Promise<readonly ObjectInfo[]>;
    delete(keys: readonly string[]): Promise<void>;
    close(): Promise<void>;
}

interface Pool<Jobs extends JobTable> {
    readonly width: number;
    run<Name extends keyof Jobs & string>(name: Name, input: Parameters<Jobs[Name]>[0], transfer?: readonly ArrayBuffer[]): Promise<ReturnType<Jobs[Name]>>;
    close(): Promise<void>;
}

type ReplicateEvent = ({
    readonly event: 'durable';
} & Durable) | {
    readonly event: 'started';
    readonly lineage: string;
    readonly epoch: bigint;
    readonly decision: string;
} | {
    readonly event: 'waiting';
    readonly reason: string;
} | {
    readonly event: 'gap';
    readonly reason: string;
} | {
    readonly event: 'trouble';
    readonly code: string;
    readonly message: string;
};

interface ReplicateOptions {
    readonly uploadIntervalMs?: number | undefined;
    readonly adopt?: 'refuse' | 'continue' | undefined;
    readonly drainMs?: number | undefined;
    readonly onEvent?: ((event: ReplicateEvent) => void) | undefined;
    readonly sealBytesMax?: number | undefined;
    readonly imageBytesMax?: number | undefined;
}

interface ReplicateStatus {
    readonly database: string;
    readonly url: string;
    readonly state: 'waiting' | 'following' | 'difference';
    readonly lineage: string | null;
    readonly durable: Durable | null;
    readonly openCommits: number;
}

class Replicator {
    #private;
    private constructor();
    static open(machine: Machine, database: string, archive: Archive, options?: ReplicatorOptions): Promise<Replicator>;
    run(signal: AbortSignal): Promise<void>;
    once(signal?: AbortSignal): Promise<Durable | null>;
    durable(): Promise<Durable | null>;
    status(): ReplicateStatus;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

interface RestoreOptions {
    readonly to: string;
    readonly target?: RestoreTarget;
    readonly force?: boolean;
    readonly dryRun?: boolean;
    readonly own?: Ownership;
    readonly onProgress?: (progress: RestoreProgress) => void;
    readonly signal?: AbortSignal;
}

interface RestoreProgress {
    readonly phase: 'plan' | 'index' | 'pages' | 'land';
    readonly bytesDone: number;
    readonly bytesTotal: number;
    readonly pages: number;
}

type RestoreReport = {
    readonly outcome: 'planned';
    readonly plan: RestorePlan;
} | {
    readonly outcome: 'restored';
    readonly plan: RestorePlan;
    readonly to: string;
    readonly txid: Txid;
    readonly timestampMs: WallMs;
    readonly pageSize: number;
    readonly pages: number;
    readonly bytes: number;
    readonly bytesRead: number;
    readonly requests: number;
    readonly durationMs: number;
    readonly proof: FetchProof;
    readonly damaged: readonly string[];
};

type RestoreTarget = {
    readonly kind: 'head';
} | {
    readonly kind: 'txid';
    readonly txid: Txid;
} | {
    readonly kind: 'time';
    readonly wallMs: WallMs;
};

type Txid = Brand<bigint, 'Txid'>;

type WallMs = Brand<number, 'WallMs'>;

function archiveOpen(machine: Machine, url: string): Archive;

function archiveSummary(archive: Archive, signal?: AbortSignal): Promise<ArchiveSummary>;

function hostMachine(options?: MachineOptions): Machine;

function isFault(error: unknown, ...kinds: readonly FaultKind[]): error is Fault;

function poolOpen(): WorkerPool<RestoreJobs>;

function restore(machine: Machine, pool: Pool<RestoreJobs>, archive: Archive, options: RestoreOptions): Promise<RestoreReport>;

function txidFormat(value: Txid): string;

function txidParse(text: string): Txid;

// Mentioned by the above

class WorkerPool<Jobs extends JobTable> implements Pool<Jobs> {
    #private;
    readonly width: number;
    constructor(options: PoolOptions);
    run<Name extends keyof Jobs & string>(name: Name, input: Parameters<Jobs[Name]>[0], transfer?: readonly ArrayBuffer[]): Promise<ReturnType<Jobs[Name]>>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

const brand: unique symbol;

const jobs: {
    readonly decodeFrames: typeof decodeFrames;
};

function decodeFrames(input: DecodeInput): DecodeOutput;

function restartVerdict(evidence: RestartEvidence): Verdict<{
    take: number;
}>;

function sameLogVerdict(then: number | null, now: number, found: CommitCount): Verdict<{
    iChange: number;
    commits: number;
}>;

interface ArchiveIdentity {
    readonly format: 1;
    readonly lineages: readonly Lineage[];
}

interface ArchivePutOptions {
    readonly condition: PutCondition;
    readonly signal?: AbortSignal | undefined;
}

interface ByteRange {
    readonly offset: number;
    readonly length: number;
}

interface Closer {
    close(): void;
}

interface CommitCount {
    readonly commits: number;
    readonly suspects: number;
}

interface DatabaseHandle extends Closer {
    readonly path: string;
    readonly main: FileStat;
    readonly wal: FileStat | null;
    attach(): void;
    readonly attached: boolean;
    mainSize(): number;
    readMain(into: Uint8Array, at: number): number;
    readWal(into: Uint8Array, at: number): number;
    readShm(into: Uint8Array, at: number): number;
    pin(): void;
    unpin(): void;
    locksHeld(): boolean | null;
    close(): void;
}

interface DatabaseProbe {
    readonly main: FileStat | null;
    readonly wal: FileStat | null;
    readonly shm: FileStat | null;
    readonly journal: FileStat | null;
}

interface DecodeInput {
    readonly bytes: Uint8Array;
    readonly pageSize: number;
    readonly pgnos: Uint32Array;
    readonly offsets: Float64Array;
    readonly sizes: Uint32Array;
    readonly isOwned: Uint8Array;
}

interface DecodeOutput {
    readonly pgnos: Uint32Array;
    readonly pages: Uint8Array;
    readonly checksum: bigint;
    readonly crc: Checksum;
    readonly crcBytes: number;
}

interface Durable {
    readonly txid: Txid;
    readonly iChange: number | null;
    readonly walMs: WallMs;
    readonly commits: number;
    readonly pages: number;
    readonly bytes: number;
}

interface FileStat {
    readonly kind: 'file' | 'directory' | 'other';
    readonly size: number;
    readonly mtimeMs: number;
    readonly dev: bigint;
    readonly ino: bigint;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
}

interface LevelSummary {
    readonly level: number;
    readonly files: number;
    readonly bytes: number;
    readonly minTxid: Txid;
    readonly maxTxid: Txid;
}

interface Lineage {
    readonly id: string;
    readonly createdMs: number;
    readonly pageSize: number;
    readonly prefix: string;
}

interface LtxFile {
    readonly level: number;
    readonly minTxid: Txid;
    readonly maxTxid: Txid;
    readonly key: string;
    readonly size: number;
    readonly modifiedMs: number;
}

interface LtxHeader {
    readonly pageSize: number;
    readonly commit: number;
    readonly minTxid: Txid;
    readonly maxTxid: Txid;
    readonly timestampMs: WallMs;
    readonly walOffset: number;
    readonly walSize: number;
    readonly walSalt1: number;
    readonly walSalt2: number;
    readonly epoch: Epoch;
    readonly counter: number;
    readonly rolling: LtxRolling | null;
}

interface LtxHeaderRead extends LtxHeader {
    readonly hasChecksums: boolean;
    readonly preApply: Checksum;
}

interface LtxRolling {
    readonly post: Checksum;
    readonly pre: Checksum;
}

interface Moment {
    readonly txid: Txid;
    readonly timestampMs: WallMs;
}

interface ObjectInfo {
    readonly key: string;
    readonly size: number;
    readonly modifiedMs: number;
}

interface PoolOptions {
    readonly script: URL;
    readonly width: number;
}

interface PutBody {
    readonly size: number;
    readonly chunks: readonly Uint8Array[];
}

interface PutOptions {
    readonly condition?: PutCondition;
    readonly modifiedMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
}

interface ReplicatorOptions extends ReplicateOptions {
    readonly verdicts?: Verdicts | undefined;
}

interface RestartEvidence {
    readonly iChangeThen: number | null;
    readonly iChangeNow: number;
    readonly oneRestart: boolean;
    readonly isClean: boolean;
    readonly found: CommitCount;
    readonly tail: CommitCount;
}

interface RestorePlan {
    readonly txid: Txid;
    readonly files: readonly LtxFile[];
    readonly bytes: number;
}

interface StoreCapabilities {
    readonly conditionalCreate: boolean;
    readonly compareAndSwap: boolean;
    readonly layout: 'levels-decimal' | 'levels-hex4';
    readonly modifiedTime: 'kept' | 'server';
}

interface StoredObject {
    readonly bytes: Uint8Array;
    readonly size: number;
    readonly etag: string;
}

interface TxidRange {
    readonly first: Txid;
    readonly last: Txid;
}

interface Verdicts {
    readonly sameLog: typeof sameLogVerdict;
    readonly restart: typeof restartVerdict;
}

type Brand<T, Name extends string> = T & {
    readonly [brand]: Name;
};

type Checksum = Brand<bigint, 'Checksum'>;

type Epoch = Brand<bigint, 'Epoch'>;

type Fd = number & {
    readonly fd: unique symbol;
};

type FetchProof = 'rolling' | 'files';

type JobTable = Readonly<Record<string, (input: never) => unknown>>;

type MonoMs = Brand<number, 'MonoMs'>;

type Ownership = Pick<FileStat, 'mode' | 'uid' | 'gid'>;

type PutCondition = {
    readonly ifNoneMatch: '*';
} | {
    readonly ifMatch: string;
} | undefined;

type PutOutcome = {
    readonly outcome: 'stored';
    readonly etag: string;
} | {
    readonly outcome: 'exists';
} | {
    readonly outcome: 'mismatch';
};

type RestoreJobs = typeof jobs;

type Verdict<T> = {
    readonly proved: T;
} | {
    readonly gap: string;
};
