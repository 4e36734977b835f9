// Building the page out of nodes and text: nothing is ever parsed as HTML.

/** Make an element with attributes (functions become listeners) and children (nodes or text). */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Show a problem where a person looks, with what support needs to find it. */
export function problemNote(problem) {
  const id = problem.requestId ? ` (request ${problem.requestId})` : "";
  return element("p", { class: "problem", role: "alert" }, `${problem.message}${id}`);
}
