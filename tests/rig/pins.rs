//! Lights and button, read and pressed beside the firmware: at the registers of the emulated Raspberry Pi and of the `virt`
//! machine's GPIO chip.
//!
//! No person presses. On the Pi a level is written into the register of levels, which this emulation keeps for inputs too; on
//! `virt` QEMU pulses line 3, its power key, when it is asked to power down.

use crate::Verdict;
use crate::camera::BOOT;
use crate::desk::Desk;
use crate::firmware::{self, BOARD, BoardFile, Film, START};
use crate::kit::{Arch, Kit};
use crate::machine::Machine;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time enough for a light that blinks to be seen lit and dark, on an emulated processor.
const BLINK: Duration = Duration::from_mins(2);

/// The Pi's GPIO registers.
const PI_FUNCTIONS: u32 = 0x3f20_0000;
const PI_SET: u32 = 0x3f20_001c;
const PI_CLEAR: u32 = 0x3f20_0028;
const PI_LEVELS: u32 = 0x3f20_0034;

/// Where lights and button are on the Pi, as on the shipped boards.
const PI: Lines = Lines {
    heartbeat: 17,
    recording: 27,
    fault: 22,
    button: 23,
};

/// `virt`'s chip: levels of all eight lines, and which are outputs.
const VIRT_LEVELS: u32 = 0x0903_03fc;
const VIRT_OUTPUTS: u32 = 0x0903_0400;

/// Line 3 is the power key.
const VIRT: Lines = Lines {
    heartbeat: 0,
    recording: 1,
    fault: 2,
    button: 3,
};

struct Lines {
    heartbeat: u32,
    recording: u32,
    fault: u32,
    button: u32,
}

impl Lines {
    fn lights(&self) -> [u32; 3] {
        [self.heartbeat, self.recording, self.fault]
    }

    fn section(&self, access: &str, more: &str) -> String {
        format!(
            "\n[pins]\naccess = \"{access}\"\nheartbeat = {}\nrecording = {}\nfault = {}\nbutton = {}\n{more}\n",
            self.heartbeat, self.recording, self.fault, self.button
        )
    }
}

/// The release build on an emulated Pi 3: its pins through `rppal`, a display that is not there, no network.
pub(crate) fn pi(kit: &Kit) -> Verdict {
    let modules = ["i2c_bcm2835", "i2c_dev"];
    let mut archive = kit.base(Arch::Arm64, &modules)?;
    kit.add_firmware(&mut archive, Arch::Arm64)?;
    Film::new(kit)?.add(&mut archive, "");
    let mut machine = kit.boot_pi("pi", archive)?;
    machine.expect("RIG ready", BOOT)?;
    let model = machine.run("tr -d '\\0' < /proc/device-tree/model")?;
    let bus = machine.run("ls /dev/i2c-*")?;
    let bus = bus.lines().next().context("the Pi has an I2C bus")?;
    let more = format!(
        "{}\n[panel]\nbus = \"{bus}\"\naddress = 0x3c\naccess = \"kernel\"\nupside-down = false\n",
        PI.section("rppal", "button-active-low = true")
    );
    let board = BoardFile {
        rig: "pi",
        source: Film::source(),
        outbox: "/run/outbox",
        broker: 1883,
        more: &more,
        hardware: "raspberry-pi",
    };
    // Let go, a button that pulls to ground reads high.
    press(&mut machine, PI_SET)?;
    firmware::write_board(&mut machine, &board.text())?;
    firmware::start(&mut machine, "")?;
    firmware::frames(&mut machine, 1)?;

    for line in PI.lights() {
        ensure!(
            pi_function(&mut machine, line)? == 1,
            "GPIO{line} is no output"
        );
    }
    blinks(&mut machine, PI_LEVELS, PI.heartbeat)?;
    // Away from its host it records, with a gap in the light.
    blinks(&mut machine, PI_LEVELS, PI.recording)?;
    let dark = word(&mut machine, PI_LEVELS)?;
    press(&mut machine, PI_CLEAR)?;
    std::thread::sleep(Duration::from_millis(400));
    press(&mut machine, PI_SET)?;
    machine.expect("this moment was marked", BLINK)?;

    firmware::stop(&mut machine)?;
    released(&mut machine, "SIGTERM")?;
    let left = machine.run("ls /run/outbox && du -k /run/outbox | tail -1")?;

    // The front lights up before models are loaded; a model that is not there ends the firmware with an error.
    machine.run(&format!(
        "sed -i 's/person-mask = .*/person-mask = \"absent\"/' {BOARD}"
    ))?;
    firmware::start(&mut machine, "")?;
    let mut driven = false;
    while machine.ask("test -e /run/ended", START)?.0 != 0 {
        driven |= pi_function(&mut machine, PI.heartbeat)? == 1;
    }
    let status = firmware::ended(&mut machine, START)?;
    ensure!(status != 0, "a model that is not there is no error");
    ensure!(driven, "the lights were never driven before the error");
    released(&mut machine, "an error")?;
    Ok(format!(
        "{}: lights driven and read at the registers (levels {dark:#010x}), the button marked a moment, pins inputs again after \
         SIGTERM and after an error (exit status {status}); the display at {bus} absent; labels stay in the outbox ({})",
        model,
        left.lines().last().unwrap_or_default()
    ))
}

/// Lights and button through the kernel's character device, and a press that arrives at the desk.
pub(crate) fn virt(kit: &Kit) -> Verdict {
    let desk = Desk::start()?;
    let modules = ["virtio_pci", "virtio_rng", "virtio_net"];
    let mut archive = kit.base(Arch::Arm64, &modules)?;
    kit.add_firmware(&mut archive, Arch::Arm64)?;
    Film::new(kit)?.add(&mut archive, "");
    let socket = desk.folder().join("qmp");
    let qmp = format!("unix:{},server=on,wait=off", socket.display());
    let mut machine = kit.boot(Arch::Arm64, "pins", archive, &["-qmp", &qmp])?;
    machine.expect("RIG ready", BOOT)?;
    let chip = machine.run("cat /sys/bus/gpio/devices/gpiochip0/../gpio/*/label")?;
    let chip = chip
        .lines()
        .next()
        .context("virt has a GPIO chip")?
        .to_owned();
    let more = VIRT.section(
        "kernel",
        &format!("chip = \"{chip}\"\nbutton-active-low = false"),
    );
    let board = BoardFile {
        rig: "pins",
        source: Film::source(),
        outbox: "/run/outbox",
        broker: desk.broker.port,
        more: &more,
        hardware: "computer",
    };
    firmware::write_board(&mut machine, &board.text())?;
    firmware::start(&mut machine, "")?;
    desk.heard(&mut machine, "frames", START, |heard| {
        (heard.health.last()?.frames.processed > 0).then_some(())
    })?;
    let outputs = word(&mut machine, VIRT_OUTPUTS)?;
    ensure!(outputs & 0x0f == 0b0111, "outputs are {outputs:#06b}");
    blinks(&mut machine, VIRT_LEVELS, VIRT.heartbeat)?;
    let levels = word(&mut machine, VIRT_LEVELS)?;
    ensure!(
        levels & 1 << VIRT.recording != 0,
        "a rig that records shows it: {levels:#06b}"
    );

    power_key(&socket)?;
    let mark = desk.heard(&mut machine, "the mark", BLINK, |heard| {
        heard.clips().find_map(|clip| clip.marks.first().copied())
    })?;
    firmware::stop(&mut machine)?;
    let outputs = word(&mut machine, VIRT_OUTPUTS)?;
    ensure!(
        outputs.trailing_zeros() >= 4,
        "still outputs after the end: {outputs:#06b}"
    );
    let summary = desk.summary()?;
    ensure!(summary.is_balanced(), "the desk's account: {summary:?}");
    Ok(format!(
        "lights on {chip} driven and read at its registers; a press of QEMU's power key marked frame {} at the desk; lines are \
         inputs again after the end",
        mark.frame
    ))
}

/// A register.
fn word(machine: &mut Machine, address: u32) -> Result<u32> {
    let text = machine.run(&format!("devmem {address:#x} 32"))?;
    let digits = text.trim().trim_start_matches("0x");
    u32::from_str_radix(digits, 16).with_context(|| format!("devmem said {text:?}"))
}

/// What a pin of the Pi is: 0 an input, 1 an output.
fn pi_function(machine: &mut Machine, pin: u32) -> Result<u32> {
    let functions = word(machine, PI_FUNCTIONS + 4 * (pin / 10))?;
    Ok(functions >> (3 * (pin % 10)) & 7)
}

/// Sets or clears the level at the Pi's button.
fn press(machine: &mut Machine, register: u32) -> Result<()> {
    machine.run(&format!("devmem {register:#x} 32 {:#x}", 1u32 << PI.button))?;
    Ok(())
}

/// Every light of the Pi is dark and an input.
fn released(machine: &mut Machine, after: &str) -> Result<()> {
    for pin in PI.lights() {
        let function = pi_function(machine, pin)?;
        ensure!(function == 0, "GPIO{pin} is still an output after {after}");
    }
    let levels = word(machine, PI_LEVELS)?;
    let lit: Vec<u32> = PI
        .lights()
        .into_iter()
        .filter(|pin| levels >> pin & 1 == 1)
        .collect();
    ensure!(lit.is_empty(), "GPIO {lit:?} still lit after {after}");
    Ok(())
}

/// The line is seen lit and dark.
fn blinks(machine: &mut Machine, levels: u32, line: u32) -> Result<()> {
    let deadline = Instant::now() + BLINK;
    let mut seen = [false; 2];
    while seen != [true; 2] {
        seen[(word(machine, levels)? >> line & 1) as usize] = true;
        ensure!(
            Instant::now() < deadline,
            "line {line} is always {}",
            if seen[0] { "dark" } else { "lit" }
        );
    }
    Ok(())
}

/// Asks QEMU to press the power key: a pulse of a tenth of a second on line 3.
fn power_key(socket: &Path) -> Result<()> {
    let mut stream = UnixStream::connect(socket).context("QEMU's control socket")?;
    stream.set_read_timeout(Some(BLINK))?;
    let mut answers = BufReader::new(stream.try_clone()?).lines();
    let mut next = || {
        answers
            .next()
            .context("QEMU said nothing")?
            .context("QEMU's answer")
    };
    next()?;
    for request in ["qmp_capabilities", "system_powerdown"] {
        writeln!(stream, "{{\"execute\": \"{request}\"}}")?;
        while !next()?.contains("\"return\"") {}
    }
    Ok(())
}
