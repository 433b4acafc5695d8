/** The site kept in the browser, so that it starts without a network connection. */

/**
 * Puts the page under the service worker, which keeps what passes through it, and loads again, through it, what came
 * before. To be called before models are loaded. False where the browser does not allow it: then the page needs its
 * server.
 */
export async function keepForOffline(): Promise<boolean> {
  const workers = navigator.serviceWorker;
  if (!workers) return false; // neither https nor localhost
  try {
    const before = workers.controller;
    const { scope } = await workers.register("serve-offline.js");
    if (before) return true;
    if (!workers.controller) {
      await new Promise((resolve) => {
        workers.addEventListener("controllerchange", resolve, { once: true });
        setTimeout(resolve, 3000); // of a page that was reloaded past its caches: it is never controlled
      });
    }
    const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
    await Promise.all([location.href, ...loaded.filter((name) => name.startsWith(scope))].map((url) => fetch(url)));
    return workers.controller !== null;
  } catch (error) {
    console.warn("this page will not start without a network connection:", error);
    return false;
  }
}
