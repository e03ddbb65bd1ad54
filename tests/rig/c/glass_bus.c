// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * glass_bus: an I2C bus with one device on it, for emulated machines.
 *
 * The device is what a small display is to its bus: it takes every write to its address and answers nothing. What it took
 * can be read back, so that a test sees on the glass what a person would:
 *
 *   /sys/kernel/debug/glass_bus/taken     each write as a length (two bytes, high byte first) and its bytes
 *   /sys/kernel/debug/glass_bus/absent    1: nobody answers at the address, as with a cable pulled
 *   /sys/kernel/debug/glass_bus/refused   writes that found nobody
 */
#include <linux/debugfs.h>
#include <linux/i2c.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define ROOM (4UL << 20)

static unsigned short address = 0x3c;
module_param(address, ushort, 0444);
MODULE_PARM_DESC(address, "where the device answers");

static struct debugfs_blob_wrapper taken;
static struct dentry *folder;
static bool absent;
static u32 refused;

static bool keep(const struct i2c_msg *message)
{
	u8 *end = (u8 *)taken.data + taken.size;

	if (taken.size + 2 + message->len > ROOM)
		return false;
	end[0] = message->len >> 8;
	end[1] = message->len & 0xff;
	memcpy(end + 2, message->buf, message->len);
	/* Grown last: a reader sees whole writes. */
	smp_store_release(&taken.size, taken.size + 2 + message->len);
	return true;
}

static int transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	int done;

	for (done = 0; done < count; done++) {
		if (absent || messages[done].addr != address) {
			refused++;
			return -ENXIO;
		}
		if (messages[done].flags & I2C_M_RD)
			return -EOPNOTSUPP;
		if (!keep(&messages[done]))
			return -ENOSPC;
	}
	return done;
}

static u32 abilities(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C;
}

static const struct i2c_algorithm algorithm = {
	.master_xfer = transfer,
	.functionality = abilities,
};

static struct i2c_adapter bus = {
	.owner = THIS_MODULE,
	.algo = &algorithm,
	.name = "glass_bus",
};

static int __init begin(void)
{
	int failed;

	taken.data = vzalloc(ROOM);
	if (!taken.data)
		return -ENOMEM;
	folder = debugfs_create_dir("glass_bus", NULL);
	debugfs_create_blob("taken", 0400, folder, &taken);
	debugfs_create_bool("absent", 0600, folder, &absent);
	debugfs_create_u32("refused", 0400, folder, &refused);
	failed = i2c_add_adapter(&bus);
	if (failed) {
		debugfs_remove(folder);
		vfree(taken.data);
	}
	return failed;
}

static void __exit end(void)
{
	i2c_del_adapter(&bus);
	debugfs_remove(folder);
	vfree(taken.data);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("An I2C bus whose one device keeps what it is told");
MODULE_LICENSE("Dual MIT/GPL");
