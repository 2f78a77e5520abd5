// What volumes and surfaces have in common: which file has frames, which view is next, how files and values are spelt.

// The bytes of a file come from this server itself: the page may not reach a bucket.
export const whole = (file) => `${file.address}?redirect=false`;
export const frameOf = (file, frame, structure) =>
  `${file.address}?frame=${frame}${structure ? `&structure=${structure}` : ""}`;
export const plain = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(5))) : "no value");

const MAPS = ["gray", "warm", "winter", "hot", "viridis", "plasma", "inferno", "cividis", "redyell", "blue2red", "jet"];

export class Shown {
  constructor(niivue, scene) {
    this.niivue = niivue;
    this.scene = scene;
    this.frame = 0;
    this.maps = MAPS.map((name) => [name, name]);
    this.onPlace = () => {};
    this.series = this.frames > 1 && this.moving.content !== "connectivity" ? this.moving : null;
  }

  // The file that has frames to go through: the layer when it has some, else what lies under it.
  get moving() {
    const { layer, volume } = this.scene;
    return layer && layer.frames > 1 ? layer : volume || layer;
  }

  get frames() {
    return this.moving?.frames || 1;
  }

  nextView() {
    const names = this.views.map(([name]) => name);
    const next = names[(names.indexOf(this.view) + 1) % names.length];
    this.setView(next);
    return next;
  }
}
