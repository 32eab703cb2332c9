// One slider over ready-made pictures: <div class="frames"> holds a range input and one image for each of its steps.
document.addEventListener("DOMContentLoaded", () => {
  for (const frames of document.querySelectorAll(".frames")) {
    const images = [...frames.querySelectorAll("img")];
    const slider = frames.querySelector("input");
    const show = () => images.forEach((image, step) => { image.hidden = step !== Number(slider.value); });
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
