import { useEffect, useRef, useState } from "preact/hooks";
import { signIn } from "../account";
import { unsaved } from "../delivery";

/** Stands before the page until somebody has signed in; what was decided before waits behind it. */
export function SignIn() {
  const [why, setWhy] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => name.current?.focus(), []);
  const password = useRef<HTMLInputElement>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setWhy(await signIn(String(form.get("name")).trim(), String(form.get("password"))));
    setBusy(false);
    password.current?.select();
  };
  const waiting = unsaved.value.count;
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <h1 id="sign-in-title">
          <img src="favicon.svg" alt="" width="24" height="24" /> Rigel
        </h1>
        <label>
          Name
          <input ref={name} name="name" type="text" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label>
          Password
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        <button type="submit" disabled={busy}>
          {busy ? "Signing in …" : "Sign in"}
        </button>
        <p role="alert" class={why === null ? "quiet" : "bad"}>
          {why ?? "An administrator makes accounts on the host: rigel user add NAME."}
        </p>
        {waiting > 0 && (
          <p class="quiet">
            {waiting === 1 ? "1 verdict waits" : `${waiting} verdicts wait`} here and will be sent once you are in.
          </p>
        )}
      </form>
    </main>
  );
}
