/** How long the last runs took, and how many pairs were shown in a second. */

import { percentile } from "./colour.ts";

export class Latency {
  readonly #last: number[] = [];

  /** window: how many of the last runs count. */
  constructor(readonly window = 50) {}

  add(milliseconds: number): void {
    this.#last.push(milliseconds);
    if (this.#last.length > this.window) this.#last.shift();
  }

  /** Of the last runs, at least one, ms. */
  percentile(percent: number): number {
    return percentile(this.#last, percent);
  }

  /** "41.2 ms median, 44.0 ms p90 (last 50)" */
  toString(): string {
    if (this.#last.length === 1) return `${this.#last[0].toFixed(1)} ms (one run)`;
    const [median, p90] = [this.percentile(50), this.percentile(90)];
    return `${median.toFixed(1)} ms median, ${p90.toFixed(1)} ms p90 (last ${this.#last.length})`;
  }
}

export class Rate {
  readonly #times: number[] = [];

  /** Pairs a second, over the last two seconds; null before there are two. */
  add(now = performance.now()): number | null {
    this.#times.push(now);
    while (now - this.#times[0] > 2000 && this.#times.length > 2) this.#times.shift();
    const span = now - this.#times[0];
    return span > 0 ? (1000 * (this.#times.length - 1)) / span : null;
  }
}
