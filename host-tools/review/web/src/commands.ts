// From a key or a button to what it does.

import * as editor from "./editor";
import { notice } from "./host";
import * as judging from "./judging";
import * as lines from "./line-editor";
import type { Command } from "./keys";
import { column, frame, playing, shown } from "./material";
import { filterOpen, rubricOpen } from "./panels";
import { current, mode, move, selected, toNextMark } from "./session";
import { formOf } from "./kinds";

export function obey(command: Command): void {
  const label = current.value;
  switch (command.do) {
    case "accept":
      return judging.accept();
    case "reject":
      if (label !== null) mode.value = mode.value === "cause" ? "review" : "cause";
      return;
    case "cause":
      return judging.rejectBecause(command.cause);
    case "undo":
      return judging.undo();
    case "redo":
      return judging.redo();
    case "move":
      return move(command.step);
    case "mark":
      return toNextMark();
    case "scrub":
      return label !== null && formOf(label.kind) === "event" ? scrub(command.step) : editor.stepToPicture(command.step);
    case "step":
      return editor.stepFrame(command.step);
    case "play":
      playing.value = !playing.value && shown.value !== null && shown.value !== "none";
      return;
    case "flag":
      return judging.answer({ flag: command.flag });
    case "level":
      return judging.answer({ level: command.level });
    case "edge":
      return editor.moveEdge(command.edge, command.by);
    case "create":
      return editor.beginEvent(editor.lookedAtFrame());
    case "save":
      return lines.drawing.value === null ? judging.saveDraft() : lines.endLine();
    case "edit":
      editor.editing.value = !editor.editing.value;
      return;
    case "nudge":
      return lines.drawing.value === null ? editor.nudge(command.by) : lines.moveAim(command.by);
    case "handle":
      return editor.form.value === "line" ? lines.nextVertex(command.step) : editor.nextHandle(command.step);
    case "to-key":
      return editor.stepToKey(command.step);
    case "add-key":
      return editor.addKey();
    case "delete-key":
      return editor.deleteKey();
    case "add-point":
      return lines.addPoint();
    case "delete-point":
      return lines.deletePoint();
    case "closed":
      return lines.toggleClosed();
    case "missed-line":
      if (label !== null) mode.value = mode.value === "line" ? "review" : "line";
      return;
    case "draw":
      mode.value = "review";
      return lines.beginLine(command.kind);
    case "set-point":
      return lines.setPoint(lines.aim.value);
    case "drop-point":
      return lines.dropLastPoint();
    case "split":
      if (label?.track != null) judging.editTracks({ do: "split", track: label.track, frame: frame.value });
      return;
    case "extend":
      return editor.extendTo(frame.value);
    case "snap":
      editor.snapping.value = !editor.snapping.value;
      return;
    case "magnifier":
      editor.magnifier.value = !editor.magnifier.value;
      return;
    case "zoom":
      return editor.zoom(command.factor);
    case "brightness":
      return editor.brighten(command.factor);
    case "gamma":
      return editor.lift(command.factor);
    case "plain":
      return editor.plainPicture();
    case "select":
      if (label !== null) judging.toggleSelected(label.id);
      return;
    case "alike":
      return judging.selectAlike();
    case "filter":
      filterOpen.value = !filterOpen.value;
      return;
    case "rubric":
      rubricOpen.value = !rubricOpen.value;
      return;
    case "close":
      return close();
  }
}

/** Escape closes one thing at a time: the last that was opened. */
function close(): void {
  // A field that is left gives the keys back to the page.
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  if (rubricOpen.value) rubricOpen.value = false;
  else if (filterOpen.value) filterOpen.value = false;
  else if (mode.value !== "review") mode.value = "review";
  else if (editor.draft.value !== null || editor.editing.value) editor.discard();
  else if (selected.value.size > 0) judging.unselect();
  else {
    playing.value = false;
    notice.value = null;
  }
}

function scrub(step: 1 | -1): void {
  const strip = shown.value;
  if (strip === null || strip === "none") {
    editor.stepFrame(step);
    return;
  }
  playing.value = false;
  editor.pointed.value = null;
  column.value = Math.min(Math.max(column.value + step, 0), strip.curve.columns.length - 1);
}
