// One slider over ready-made pictures: <div class="frames"> holds a range input and one image for each of its steps.
document.addEventListener("DOMContentLoaded", () => {
  for (const frames of document.querySelectorAll(".frames")) {
    const images = [...frames.querySelectorAll("img")];
    const slider = frames.querySelector("input");
    const show = () => {
      images.forEach((image, step) => { image.hidden = step !== Number(slider.value); });
      frames.querySelector("output").textContent = `step ${Number(slider.value) + 1} of ${images.length}`;
    };
    slider.addEventListener("input", show);
    show();
  }
});
// A formula in a line that is wider than the text, as on a telephone, gets a line of its own and scrolls there.
window.addEventListener("load", () => window.MathJax?.startup?.promise?.then(() => document.fonts.ready).then(() => {
  for (const formula of document.querySelectorAll(".bd-article span.math")) {
    const block = formula.closest("p, li, dd");
    const over = block && formula.firstElementChild?.getBoundingClientRect().right > block.getBoundingClientRect().right + 1;
    if (over && !formula.closest("table")) formula.classList.add("formula-too-wide");
  }
}));
// What the search shows of a page is its text, without the names of the buttons around it.
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const textOf = Search.htmlToText;
  Search.htmlToText = (text, anchor) => {
    const article = new DOMParser().parseFromString(text, "text/html").querySelector("article");
    return textOf(article ? `<div role="main">${article.outerHTML}</div>` : text, anchor).replace(/\s+/g, " ");
  };
});
