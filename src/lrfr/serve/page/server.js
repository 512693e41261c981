// Questions to the server, each with the run's token, which stands in the address's fragment alone.

let token = location.hash.slice(1);
addEventListener("hashchange", () => { token = location.hash.slice(1); });

/** The JSON answer; an error says what is amiss. `body` is a picture, encoded. */
export async function ask(path, body) {
  const headers = { "X-Lrfr-Token": token };
  if (body) headers["Content-Type"] = "application/octet-stream";
  let response;
  try {
    response = await fetch(`/api/${path}`, { method: body ? "POST" : "GET", headers, body });
  } catch {
    throw new Error("lrfr try does not answer: is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(typeof answer.message === "string" ? answer.message : `the server answered ${response.status}`);
  return answer;
}
