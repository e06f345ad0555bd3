// The types of run.mjs for one bundle.

/** A picture: RGB or RGBA levels in rows, as ImageData has them. */
export interface Picture { width: number; height: number; data: ArrayLike<number>; }
/** Levels of a picture with so many channels. */
export interface Levels { width: number; height: number; channels: number; data: Uint8Array; }
/** An array of a graph: its dtype as numpy calls it, in row-major order. */
export interface NumberArray { dtype: string; shape: number[]; data: ArrayLike<number | bigint>; }
/** A sound to go on from, values in -1..1 at the model's rate, and a class. */
export interface SoundStart { className?: string; signal?: ArrayLike<number>; }
export interface Sound { signal: Float64Array; rate: number; }
export interface RankedClass { label: Label; probability: number; }
/** A box: left, top, right, bottom in pixels of the picture. */
export interface Box { label: Label; score: number; box: [number, number, number, number]; }
export interface Detections { boxes: Box[]; below: number; }
export interface Segments { width: number; height: number; classes: Uint32Array; shares: { label: Label; index: number; share: number }[]; }
export interface Pair { first: number; second: number; similarity: number; same: boolean | null; }
export interface ReplayedCase { name: string; graph: string; origin: string; differences: string[]; }
export interface Replay { proved: boolean; passed: boolean; cases: ReplayedCase[]; }

export type Label = {{label}};
/** What this bundle takes. */
export type Input = {{input}};
/** What it answers. */
export type Answer = {{answer}};
/** How it answers; every field has a default. */
export interface Settings { {{settings}}
  /** Told a sentence where an input is larger than any at which the export was proved. */
  onNote?: (sentence: string) => void; }

export interface Runner {
  /** manifest.json of the bundle. */
  readonly manifest: Record<string, unknown>;
  predict(value: Input, settings?: Settings): Promise<Answer>;
  /** The outputs of pipeline.onnx for its inputs, by name. */
  run(inputs: Record<string, NumberArray>): Promise<Record<string, NumberArray>>;
  /** Every golden case put to this device. */
  replay(onCase?: (done: number, all: number) => unknown): Promise<Replay>;
}

/** The bundle, ready to answer; without `ort` the module onnxruntime-web is imported, without `base` the files lie beside run.mjs. */
export function openRunner(options?: { ort?: unknown; base?: URL; options?: Record<string, unknown> }): Promise<Runner>;
/** An array of a dtype from plain numbers. */
export function array(dtype: string, shape: number[], values: ArrayLike<number>): NumberArray;
/** Each pair of embeddings, the most similar first. */
export function pairs(embeddings: number[][], problem: unknown): Pair[];
export function readWave(bytes: Uint8Array): Sound;
export function waveBytes(signal: ArrayLike<number>, rate: number): Uint8Array;
