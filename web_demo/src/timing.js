/** How long the last runs took, and how many pairs were shown in a second. */

import { percentile } from "./colour.js";

const KEPT = 50;

export class Latency {
  #last = [];

  add(milliseconds) {
    this.#last.push(milliseconds);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  /** "41.2 ms median, 44.0 ms p90 (last 50)" */
  toString() {
    const runs = this.#last;
    if (runs.length === 1) return `${runs[0].toFixed(1)} ms (one run)`;
    const [median, p90] = [percentile(runs, 50), percentile(runs, 90)];
    return `${median.toFixed(1)} ms median, ${p90.toFixed(1)} ms p90 (last ${runs.length})`;
  }
}

export class Rate {
  #times = [];

  /** Pairs a second, over the last two seconds; null before there are two. */
  add(now = performance.now()) {
    this.#times.push(now);
    while (now - this.#times[0] > 2000 && this.#times.length > 2) this.#times.shift();
    const span = now - this.#times[0];
    return span > 0 ? (1000 * (this.#times.length - 1)) / span : null;
  }
}
