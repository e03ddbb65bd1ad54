import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { helpOpen } from "../host";
import { route } from "../route";
import { viewNamed, type KeyLine } from "../views";

const EVERYWHERE: readonly KeyLine[] = [{ keys: ["?"], does: "this list" }];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useSignalEffect(() => {
    if (helpOpen.value && dialog.current?.open === false) dialog.current.showModal();
    if (!helpOpen.value && dialog.current?.open === true) dialog.current.close();
  });
  const view = viewNamed(route.value.view);
  const Notes = view?.Notes;
  const close = () => {
    helpOpen.value = false;
  };
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <div class="help-head">
        <h2 id="help-title">Keys</h2>
        <button type="button" onClick={close}>
          Close <kbd>Esc</kbd>
        </button>
      </div>
      <dl>
        {[...(view?.keys ?? []), ...EVERYWHERE].map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      {Notes !== undefined && <Notes />}
    </dialog>
  );
}
