// Questions to the server. A save is repeated until the server answers: nothing is called saved before it said so.

const AGAIN = 1000; // ms between two tries
let token = location.hash.slice(1);

// A new run of lrfr review has a new token. The window that it opens hands it to those that were left without a server.
const runs = new BroadcastChannel("lrfr review");
runs.onmessage = (event) => { token = event.data; };
if (token) runs.postMessage(token);
addEventListener("hashchange", () => { token = location.hash.slice(1); runs.postMessage(token); });

export class Refused extends Error {
  constructor(status, answer) {
    super(typeof answer.message === "string" ? answer.message : `the server answered ${status}`);
    this.status = status;
    this.answer = answer;
  }
}

async function once(path, body) {
  const headers = { "X-Lrfr-Token": token };
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(`/api/${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

/** The JSON answer; `trouble` is told why it takes long: "away" (no server), "old" (a new run began), null (all well). */
export async function ask(path, body, trouble) {
  for (;;) {
    try {
      const answer = await (await once(path, body)).json();
      trouble(null);
      return answer;
    } catch (error) {
      if (error instanceof Refused && error.status !== 401) { trouble(null); throw error; }
      trouble(error instanceof Refused ? "old" : "away");
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  }
}

/** The JSON answer if it can be had at once, else null: for what is fetched ahead. */
export const peek = (path) => once(path).then((response) => response.json()).catch(() => null);

/** The address of a picture that this page alone can show. */
export async function picture(path) {
  return URL.createObjectURL(await (await once(path)).blob());
}
