// Where a sign-in ends that a page of this server has begun in another window: hands that window what came back, and
// nobody else. The page that began it listens for a message of type "oauth2-redirect" from its own origin.
"use strict";
const answer = Object.fromEntries(new URLSearchParams(location.search || location.hash.slice(1)));
const state = document.getElementById("state");
history.replaceState(null, "", location.pathname); // a code must not stay in the address bar
if (!answer.code && !answer.error && !answer.access_token) {
  state.textContent = "There is nothing here to be handed over.";
} else if (!window.opener) {
  state.textContent = "The page that began this sign-in is closed. Begin again there.";
} else {
  window.opener.postMessage({ type: "oauth2-redirect", ...answer }, location.origin);
  state.textContent = answer.error ? "The sign-in was refused. You may close this window." : "Done. You may close this window.";
  window.close();
}
