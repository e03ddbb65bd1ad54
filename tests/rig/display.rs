//! The panel over a real I2C bus of the kernel: what came over the wire, decoded, is the picture that the state draws.

use crate::Verdict;
use crate::camera::BOOT;
use crate::firmware::{self, BoardFile, Film, START};
use crate::glass::{Glass, HEIGHT, WIDTH};
use crate::kit::{Arch, Kit};
use crate::machine::Machine;
use anyhow::{Context, Result, bail, ensure};
use panel::{Page, PanelState, Picture};
use std::time::Duration;

/// Where the bus keeps what it took.
const BUS: &str = "/sys/kernel/debug/glass_bus";

/// The firmware's state, as the panel's thread writes it before it draws.
const STATE: &str = "/run/rigel/panel.json";

/// The picture moves a dot a minute; this long no machine of this scenario lives.
const MINUTES: u64 = 8;

/// State and glass are read one after the other, and may fall on both sides of a change.
const ATTEMPTS: u32 = 20;

/// Records, loses its display, gets it back, ends.
pub(crate) fn shows(kit: &Kit) -> Verdict {
    let arch = Arch::Amd64;
    let mut archive = kit.base(arch, &["virtio_pci", "virtio_rng", "virtio_net", "i2c_dev"])?;
    kit.add_firmware(&mut archive, arch)?;
    archive.copy("lib/modules/glass_bus.ko", &kit.file(arch, "glass_bus.ko"))?;
    Film::new(kit)?.add(&mut archive, "");
    let mut machine = kit.boot(arch, "display", archive, &[])?;
    machine.expect("RIG ready", BOOT)?;
    machine.run("insmod /lib/modules/glass_bus.ko")?;
    let bus = machine.run("grep -l glass_bus /sys/bus/i2c/devices/i2c-*/name")?;
    let bus = bus
        .split('/')
        .nth(5)
        .context("the bus has a number")?
        .to_owned();
    let more = format!(
        "\n[panel]\nbus = \"/dev/{bus}\"\naddress = 0x3c\naccess = \"kernel\"\nupside-down = false\n"
    );
    let board = BoardFile {
        rig: "glass",
        source: Film::source(),
        outbox: "/run/outbox",
        broker: 1883,
        more: &more,
        hardware: "computer",
    };
    firmware::write_board(&mut machine, &board.text())?;
    firmware::start(&mut machine, "")?;
    let frames = firmware::frames(&mut machine, 1)?;
    let (state, writes) = alike(&mut machine)?;
    ensure!(state.rig == "glass" && state.frames >= frames, "{state:?}");

    // A cable that comes off: labels go on, and the display is written anew when it is back.
    machine.run(&format!("echo 1 > {BUS}/absent"))?;
    machine.wait_for(&format!("cat {BUS}/refused"), START, |text| {
        text.parse::<u32>().ok().filter(|refused| *refused > 0)
    })?;
    let frames = firmware::frames(&mut machine, state.frames + 5)?;
    machine.run(&format!("echo 0 > {BUS}/absent"))?;
    machine.wait_for(&format!("wc -c < {BUS}/taken"), START, {
        let mut first = None;
        move |text| {
            let taken: u64 = text.trim().parse().ok()?;
            (taken > *first.get_or_insert(taken)).then_some(())
        }
    })?;
    let (back, _) = alike(&mut machine)?;
    firmware::stop(&mut machine)?;
    let (end, _) = glass(&mut machine)?;
    let lit = lit(&end);
    Ok(format!(
        "{writes} writes on /dev/{bus} decode to the very picture of the state ({} frames labelled), again after a cable came \
         off and on ({frames} and {} frames); at the end {lit} dots say so",
        state.frames, back.frames
    ))
}

/// State and glass at one moment, found to be the same picture.
fn alike(machine: &mut Machine) -> Result<(PanelState, usize)> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let text = machine.run(&format!("cat {STATE}"))?;
        let state: PanelState = serde_json::from_str(&text).context("the state's file")?;
        let (glass, writes) = glass(machine)?;
        ensure!(glass.is_on() && glass.contrast() > 0, "the glass is dark");
        // The frame counter in the file has moved on by the time that the glass is read; the picture shows it nowhere.
        let drawn = (0..MINUTES)
            .map(|minute| panel::draw(&state, Page::State, Duration::from_secs(60 * minute)));
        if drawn.into_iter().any(|picture| is_same(&glass, &picture)) {
            return Ok((state, writes));
        }
        last = format!("{}\nfor {state:?}", glass.drawn());
    }
    bail!("the glass never showed what the state draws; last:\n{last}")
}

/// The glass after all that its bus has taken so far.
fn glass(machine: &mut Machine) -> Result<(Glass, usize)> {
    let text = machine.run(&format!("base64 {BUS}/taken"))?;
    let mut glass = Glass::default();
    let writes = glass.take_all(&from_base64(&text)?)?;
    Ok((glass, writes))
}

fn is_same(glass: &Glass, picture: &Picture) -> bool {
    (0..HEIGHT).all(|y| (0..WIDTH).all(|x| glass.dot(x, y) == picture.is_lit(x, y)))
}

fn lit(glass: &Glass) -> usize {
    let dots = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    dots.filter(|(x, y)| glass.dot(*x, *y)).count()
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for character in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            other => bail!("{other:#04x} is not base64"),
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_sends_as_text_comes_back_as_bytes() {
        assert_eq!(from_base64("AP9o\naQ==").unwrap(), [0, 0xff, b'h', b'i']);
        assert!(from_base64("A*").is_err());
    }
}
