/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Preloaded, it makes a program believe that its files are on the disk when they are not: the negative control of the
 * power cuts. A test that finds nothing lost with this finds nothing at all.
 */
int fsync(int file)
{
	(void)file;
	return 0;
}

int fdatasync(int file)
{
	(void)file;
	return 0;
}
