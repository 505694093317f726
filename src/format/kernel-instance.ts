/**
 * The kernel's one instance, and its memory as arrays.
 *
 * Memory is laid out by `kernel/assembly/memory.ts` and never grows, so the arrays stay valid. They are
 * rewritten by every call: what leaves this room is a copy.
 */

import { KERNEL_BASE64 } from './kernel.wasm.ts';

/** What `kernel/assembly/index.ts` exports; u64 are signed bigint. */
export interface KernelFunctions {
  readonly memory: { readonly buffer: ArrayBuffer };
  init(): void;
  crc(size: number, before: bigint): bigint;
  crcCombine(a: bigint, b: bigint, bytesOfB: bigint): bigint;
  wal(size: number, bigEndian: boolean, running: bigint): bigint;
  walChain(count: number, pageSize: number, bigEndian: boolean, salts: bigint, running: bigint): number;
  pack(size: number): number;
  unpack(size: number, outSize: number): number;
  checksumPages(count: number, pageSize: number): void;
  encode(count: number, pageSize: number, before: bigint): bigint;
  decode(bytes: number, pageSize: number, pagesMax: number, before: bigint): bigint;
}

type Region = 'INPUT' | 'INPUT_BYTES_MAX' | 'OUTPUT' | 'PGNOS' | 'SIZES' | 'CHECKSUMS' | 'RESULT';
type Limit = 'BATCH_BYTES_MAX' | 'BATCH_PAGES_MAX';
type Stop = 'STOP_INPUT' | 'STOP_FULL' | 'STOP_ENDED' | 'STOP_HEADER' | 'STOP_SIZE' | 'STOP_BLOCK';
type KernelConstants = Readonly<Record<Region | Limit | Stop, { readonly value: number }>>;

/** As much of WebAssembly as is used: its types come with neither ES nor Node. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: KernelFunctions & KernelConstants };
};

/** Functions, and the arrays by which they take and give. */
export interface KernelInstance {
  readonly wasm: KernelFunctions;
  /** Where input is placed. */
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly pgnos: Uint32Array;
  readonly sizes: Uint32Array;
  readonly checksums: BigUint64Array;
  /** One of the words by which a function gives more than one value. */
  result(index: number): number;
  /** How many bytes are placed at once where there are many: they stay in the processor's cache. */
  readonly batchBytes: number;
  /** Why decoding stopped. */
  readonly stop: Readonly<Record<'input' | 'full' | 'ended' | 'header' | 'size' | 'block', number>>;
}

function instantiate(): KernelInstance {
  const bytes = Uint8Array.from(atob(KERNEL_BASE64), (char) => char.charCodeAt(0));
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  wasm.init();
  const { buffer } = wasm.memory;
  const pagesMax = wasm.BATCH_PAGES_MAX.value;
  const results = new Uint32Array(buffer, wasm.RESULT.value, 3);
  return {
    wasm,
    input: new Uint8Array(buffer, wasm.INPUT.value, wasm.INPUT_BYTES_MAX.value),
    output: new Uint8Array(buffer, wasm.OUTPUT.value),
    pgnos: new Uint32Array(buffer, wasm.PGNOS.value, pagesMax),
    sizes: new Uint32Array(buffer, wasm.SIZES.value, pagesMax),
    checksums: new BigUint64Array(buffer, wasm.CHECKSUMS.value, pagesMax),
    result: (index) => results[index] ?? 0,
    batchBytes: wasm.BATCH_BYTES_MAX.value,
    stop: {
      input: wasm.STOP_INPUT.value,
      full: wasm.STOP_FULL.value,
      ended: wasm.STOP_ENDED.value,
      header: wasm.STOP_HEADER.value,
      size: wasm.STOP_SIZE.value,
      block: wasm.STOP_BLOCK.value,
    },
  };
}

export const kernelInstance: KernelInstance = instantiate();
