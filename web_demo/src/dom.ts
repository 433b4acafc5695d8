/** Parts of the page that its HTML promises. */

/** The first match in `root`; its absence is a fault of the page. */
export function inside<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}
