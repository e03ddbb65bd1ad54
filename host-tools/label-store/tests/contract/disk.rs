//! What only a file can meet: a disk without room.

use crate::made::*;
use crate::watermark;
use label_store::LabelStore;

/// A file system of a megabyte.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this user may not mount any.
    fn mount() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "small"]);
        let mounted = mount.arg(disk.0.path()).output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(disk)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .output();
    }
}

#[tokio::test]
async fn a_disk_that_was_full_is_written_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let folder = disk.0.path();
    let store = LabelStore::open(&folder.join("test.sqlite")).await.unwrap();
    store.commit(&[opened(1)]).await.unwrap();
    let ballast = folder.join("ballast");
    assert!(std::fs::write(&ballast, vec![0; 8 << 20]).is_err());
    let labels = [blink(0, 10, 0.9), silence(1)];
    let mut seq = 2;
    while store.commit(&[batch(seq, &labels)]).await.is_ok() {
        seq += 1;
    }
    store.commit(&[batch(seq, &labels)]).await.unwrap_err();
    std::fs::remove_file(&ballast).unwrap();
    store.commit(&[batch(seq, &labels)]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), seq)]);
    store.close().await;
}
