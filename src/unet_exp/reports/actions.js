// What a reader can do: copy a command, see a picture larger. A running page loads itself again.
(() => {
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages from files have no clipboard in some browsers.
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("button[data-copy]");
  if (button) {
    const done = await copy(button.parentNode.querySelector("code").textContent);
    button.textContent = done ? "copied" : "failed";
    setTimeout(() => {
      button.textContent = "copy";
    }, 1200);
  }
  const picture = target.closest?.("button.picture");
  const large = document.getElementById("large");
  if (picture) {
    large.replaceChildren(picture.querySelector("img").cloneNode());
    large.showModal();
  } else if (target.closest?.("#large")) large.close();
});

const { state, written, again, silence } = document.body.dataset;
if (state === "running") {
  const silent = (Date.now() - new Date(written).getTime()) / 1000;
  const note = document.getElementById("silent");
  if (silent > Number(silence)) note.hidden = false;
  else
    setInterval(() => {
      const reading = document.querySelector("dialog[open]") || String(getSelection());
      if (!document.hidden && !reading) location.reload();
    }, 1000 * Number(again));
}
})();
