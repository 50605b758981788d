// The theme names some of its elements other than they read, which confuses those who hear or say
// the names; and calls a list what has other children than a list may have.
function mendNames() {
  const named = "summary[aria-label], .search-button-field[aria-label]";
  for (const element of document.querySelectorAll(named)) element.removeAttribute("aria-label");
  for (const list of document.querySelectorAll(".citation-list")) list.removeAttribute("role");
  // The button has a name; its pictures need none. They become svg elements at some time.
  for (const icon of document.querySelectorAll(".theme-switch")) {
    icon.removeAttribute("title");
    icon.removeAttribute("aria-labelledby");
    icon.setAttribute("aria-hidden", "true");
    for (const title of icon.querySelectorAll("title")) title.remove();
  }
}
document.addEventListener("DOMContentLoaded", mendNames);
window.addEventListener("load", mendNames);
