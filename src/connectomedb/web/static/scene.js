// Opens NiiVue on a canvas with what is to be shown.

import { Niivue } from "./vendor/niivue.js";
import { Surfaces } from "./surfaces.js";
import { Volumes } from "./volumes.js";

const OPTIONS = {
  backColor: [0, 0, 0, 1],
  show3Dcrosshair: true,
  multiplanarShowRender: 1,
  crosshairWidth: 0.4, // voxels: what lies under it stays seen
  dragAndDropEnabled: false,
  logLevel: "error",
  loadingText: "",
};

export async function openScene(canvas, scene) {
  const niivue = new Niivue(OPTIONS);
  await niivue.attachToCanvas(canvas);
  const shown = scene.volume ? new Volumes(niivue, scene) : new Surfaces(niivue, scene);
  await shown.load();
  niivue.onLocationChange = (place) => shown.locate(place);
  return shown;
}
