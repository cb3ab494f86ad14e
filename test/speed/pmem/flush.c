/* Writes and flushes to persistent memory, and reading its labels. On the host the same writes go to the image file:
 *     flush FILE OFFSET
 * In a guest this is /init: it makes a namespace of the first device and writes to that.
 *
 * Prints a line for each measurement: its name, bytes, nanoseconds. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ndctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

enum { AREA = 48 << 20, LARGE = 1 << 20, SMALL = 4096, SMALL_WRITES = 2000, LABEL_READS = 20 };

static void fail(const char *what)
{
    printf("failed %s: %s\n", what, strerror(errno));
    fflush(stdout);
    if (getpid() == 1)
        reboot(RB_POWER_OFF);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void say(const char *name, uint64_t bytes, uint64_t start)
{
    printf("%s %llu %llu\n", name, (unsigned long long)bytes, (unsigned long long)(now() - start));
    fflush(stdout);
}

static void put(int file, uint64_t at, size_t size, const char *data)
{
    if (pwrite(file, data, size, at) != (ssize_t)size)
        fail("write");
    if (fdatasync(file))
        fail("flush");
}

static void writes(int file, uint64_t offset)
{
    char *data = malloc(LARGE);
    if (!data)
        fail("memory");
    /* The first pass takes what is slow only once: pages of the cache, translations. */
    for (int pass = 0; pass < 2; pass++) {
        memset(data, 0x5a + pass, LARGE);
        uint64_t start = now();
        for (uint64_t at = 0; at < AREA; at += LARGE)
            put(file, offset + at, LARGE, data);
        if (pass)
            say("sequential", AREA, start);
    }
    uint64_t start = now(), random = 1;
    for (int n = 0; n < SMALL_WRITES; n++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        put(file, offset + (random >> 33) % (AREA / SMALL) * SMALL, SMALL, data);
    }
    say("random", (uint64_t)SMALL_WRITES * SMALL, start);
}

static void labels(const char *path)
{
    struct nd_cmd_get_config_size size = { 0 };
    int device = open(path, O_RDWR);
    if (device < 0 || ioctl(device, ND_IOCTL_GET_CONFIG_SIZE, &size) || size.status)
        fail(path);
    struct nd_cmd_get_config_data_hdr *part = calloc(1, sizeof *part + size.max_xfer);
    if (!part)
        fail("memory");
    uint64_t start = now();
    for (int n = 0; n < LABEL_READS; n++)
        for (uint32_t at = 0; at < size.config_size; at += part->in_length) {
            part->in_offset = at;
            part->in_length = size.config_size - at < size.max_xfer ? size.config_size - at : size.max_xfer;
            if (ioctl(device, ND_IOCTL_GET_CONFIG_DATA, part) || part->status)
                fail("reading labels");
        }
    say("labels", (uint64_t)LABEL_READS * size.config_size, start);
}

static void set(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    if (file < 0 || write(file, text, strlen(text)) < 0)
        fail(path);
    close(file);
}

int main(int count, char **arguments)
{
    if (getpid() != 1) {
        if (count != 3)
            return fprintf(stderr, "usage: flush FILE OFFSET\n"), 2;
        int file = open(arguments[1], O_RDWR);
        if (file < 0)
            fail(arguments[1]);
        writes(file, strtoull(arguments[2], NULL, 0));
        return 0;
    }
    if (mount("sys", "/sys", "sysfs", 0, NULL) || mount("dev", "/dev", "devtmpfs", 0, NULL))
        fail("mount");
    set("/sys/bus/nd/devices/namespace0.0/uuid", "11111111-2222-3333-4444-555555555555");
    set("/sys/bus/nd/devices/namespace0.0/size", "67108864");
    set("/sys/bus/nd/drivers/nd_pmem/bind", "namespace0.0");
    int file = open("/dev/pmem0", O_RDWR);
    if (file < 0)
        fail("/dev/pmem0");
    labels("/dev/nmem0");
    writes(file, 0);
    printf("end\n");
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
}
