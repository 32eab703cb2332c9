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
