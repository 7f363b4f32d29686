// What the fork-server needs of the kernel and Python has no words for. Loaded by zygote.py through ctypes; every
// function returns 0, or -errno with the failed step in `walls_failed_step`.
//
// A call's process is cloned straight into its namespaces (one clone instead of fork, unshare and fork again), and then
// walls itself in for good: own /tmp and /proc, no capability, and a filter that forbids to make new namespaces. Its limits come with its request.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "The system call filter knows x86-64 and 64-bit ARM only"
#endif

const char* walls_failed_step = "";

#define STEP(name, expression)          \
    do {                                \
        if ((expression) < 0) {         \
            walls_failed_step = (name); \
            return -errno;              \
        }                               \
    } while (0)

#define NEW_NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)
#define ALL_NAMESPACES (NEW_NAMESPACES | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME)

static uid_t user_outside;
static gid_t group_outside;

// Becomes an ordinary user that nobody else is. The server's root would be exempt from the limit of processes.
// Before that it lifts what bubblewrap lays over root's /proc: below such covers the kernel allows no new /proc, and
// what they protect is root's, who is nobody in here.
int walls_become(unsigned user) {
    static const char* const covers[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"};
    for (size_t i = 0; i < sizeof covers / sizeof covers[0]; ++i) umount2(covers[i], MNT_DETACH);
    STEP("setgroups", setgroups(0, NULL));
    STEP("setresgid", setresgid(user, user, user));
    STEP("setresuid", setresuid(user, user, user));
    STEP("dumpable", prctl(PR_SET_DUMPABLE, 1));  // or /proc/self would still be root's
    return 0;
}

// fork() for Python, into new namespaces if `walled`. Returns as fork does; *handle becomes a pidfd in the parent.
// Called with the interpreter's lock held (ctypes.PyDLL).
int walls_fork(int walled, int* handle) {
    void (*before)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "PyOS_BeforeFork");
    void (*in_parent)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "PyOS_AfterFork_Parent");
    void (*in_child)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "PyOS_AfterFork_Child");
    int* thread_id = NULL;  // where the C library keeps the number of this thread: the kernel writes the child's there
    STEP("PR_GET_TID_ADDRESS", prctl(PR_GET_TID_ADDRESS, &thread_id));
    user_outside = geteuid();
    group_outside = getegid();
    struct clone_args how;
    memset(&how, 0, sizeof how);
    how.flags = (walled ? NEW_NAMESPACES : 0) | CLONE_PIDFD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    how.pidfd = (uint64_t)(uintptr_t)handle;
    how.child_tid = (uint64_t)(uintptr_t)thread_id;
    how.exit_signal = SIGCHLD;
    before();
    const long id = syscall(SYS_clone3, &how, sizeof how);
    const int failure = errno;
    if (id == 0) {
        in_child();
        return 0;
    }
    in_parent();
    if (id < 0) walls_failed_step = "clone3";
    return id < 0 ? -failure : (int)id;
}

// Cuts the process of a call off from the fork-server: everything but standard error and `descriptor`, which is above it,
// is closed, standard input and output lead nowhere, and a session of its own sees to it that no signal to "my group"
// gets there. The session is also a scheduling group, in which the kernel queues the process anew: so it is made early.
int walls_part(int descriptor) {
    STEP("setsid", setsid());
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    STEP("/dev/null", nothing);
    for (int i = 0; i < 2; ++i) STEP("dup2", dup2(nothing, i));
    if (descriptor > 3) STEP("close_range", (int)syscall(SYS_close_range, 3u, (unsigned)descriptor - 1, 0u));
    STEP("close_range", (int)syscall(SYS_close_range, (unsigned)descriptor + 1, ~0u, 0u));
    return 0;
}

// The call's descriptors become 0-3, everything else is closed.
int walls_descriptors(int call, int out, int err) {
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    STEP("/dev/null", nothing);
    // Lifted first: one of them may sit where another has to go.
    const int sources[4] = {nothing, out, err, call};
    for (int i = 0; i < 4; ++i) STEP("dup3", dup3(sources[i], 900 + i, O_CLOEXEC));
    for (int i = 0; i < 4; ++i) STEP("dup3", i < 3 ? dup2(900 + i, i) : dup3(900 + i, i, O_CLOEXEC));
    STEP("close_range", (int)syscall(SYS_close_range, 4u, ~0u, 0u));
    return 0;
}

static int write_file(const char* path, const char* text) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    const ssize_t written = write(file, text, strlen(text));
    const int failure = errno;
    close(file);
    errno = failure;
    return written < 0 ? -1 : 0;
}

static int map_user(void) {
    char line[64];
    STEP("setgroups", write_file("/proc/self/setgroups", "deny"));
    snprintf(line, sizeof line, "%u %u 1", user_outside, user_outside);
    STEP("uid_map", write_file("/proc/self/uid_map", line));
    snprintf(line, sizeof line, "%u %u 1", group_outside, group_outside);
    STEP("gid_map", write_file("/proc/self/gid_map", line));
    return 0;
}

static int mount_own(const char* temporary_options) {
    const unsigned long plain = MS_NOSUID | MS_NODEV;
    STEP("mount /tmp", mount("tmpfs", "/tmp", "tmpfs", plain, temporary_options));
    STEP("mount /dev/shm", mount("tmpfs", "/dev/shm", "tmpfs", plain | MS_NOEXEC, "size=16m,nr_inodes=1k,mode=1777"));
    STEP("mount /proc", mount("proc", "/proc", "proc", plain | MS_NOEXEC, NULL));
    STEP("chdir /tmp", chdir("/tmp"));
    return 0;
}

static int set_limit(int what, uint64_t value) {
    struct rlimit limit;
    if (getrlimit(what, &limit) < 0) return -1;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value) value = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    return setrlimit(what, &limit);
}

int walls_limits(uint64_t cpu_seconds, uint64_t memory, uint64_t file, uint64_t files, uint64_t processes) {
    STEP("RLIMIT_CPU", set_limit(RLIMIT_CPU, cpu_seconds));
    STEP("RLIMIT_AS", set_limit(RLIMIT_AS, memory));
    STEP("RLIMIT_FSIZE", set_limit(RLIMIT_FSIZE, file));
    STEP("RLIMIT_NOFILE", set_limit(RLIMIT_NOFILE, files));
    STEP("RLIMIT_CORE", set_limit(RLIMIT_CORE, 0));
    STEP("RLIMIT_MEMLOCK", set_limit(RLIMIT_MEMLOCK, 64 << 10));
    STEP("RLIMIT_MSGQUEUE", set_limit(RLIMIT_MSGQUEUE, 64 << 10));
    STEP("RLIMIT_NPROC", set_limit(RLIMIT_NPROC, processes));
    return 0;
}

static int drop_capabilities(void) {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        STEP("PR_CAPBSET_DROP", prctl(PR_CAPBSET_DROP, capability));
    STEP("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    STEP("capset", syscall(SYS_capset, &header, none));
    return 0;
}

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define FORBID(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), REFUSE(EPERM)
#define ABSENT(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), REFUSE(ENOSYS)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

// A list of what no tool has a use for and kernels have been broken through. No list of what is allowed: tools load
// whatever packages they like, and a filter that breaks them gets switched off.
static int filter_calls(void) {
    struct sock_filter rules[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
#if defined(__x86_64__)
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),  // the x32 spelling of the same calls
        REFUSE(ENOSYS),
#endif
        FORBID(SYS_unshare), FORBID(SYS_setns), FORBID(SYS_mount), FORBID(SYS_umount2), FORBID(SYS_pivot_root),
        FORBID(SYS_chroot), FORBID(SYS_move_mount), FORBID(SYS_open_tree), FORBID(SYS_fsopen), FORBID(SYS_fsconfig),
        FORBID(SYS_fsmount), FORBID(SYS_fspick), FORBID(442 /* mount_setattr */), FORBID(SYS_ptrace),
        FORBID(SYS_process_vm_readv), FORBID(SYS_process_vm_writev), FORBID(SYS_kcmp), FORBID(SYS_keyctl),
        FORBID(SYS_add_key), FORBID(SYS_request_key), FORBID(SYS_bpf), FORBID(SYS_perf_event_open),
        FORBID(SYS_userfaultfd), FORBID(SYS_name_to_handle_at), FORBID(SYS_open_by_handle_at), FORBID(SYS_kexec_load),
        FORBID(SYS_kexec_file_load), FORBID(SYS_init_module), FORBID(SYS_finit_module), FORBID(SYS_delete_module),
        FORBID(SYS_reboot), FORBID(SYS_swapon), FORBID(SYS_swapoff), FORBID(SYS_acct), FORBID(SYS_quotactl),
        FORBID(SYS_syslog), FORBID(SYS_vhangup), FORBID(SYS_settimeofday), FORBID(SYS_clock_settime),
        FORBID(SYS_adjtimex), FORBID(SYS_clock_adjtime), FORBID(SYS_pidfd_getfd), FORBID(SYS_fanotify_init),
        ABSENT(SYS_io_uring_setup), ABSENT(SYS_io_uring_enter), ABSENT(SYS_io_uring_register),
        ABSENT(SYS_clone3),  // its flags lie in memory; the C library falls back to clone
        // Namespaces by clone. The flags are its first argument on both machines.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, ALL_NAMESPACES & ~CLONE_NEWTIME, 0, 1),
        REFUSE(EPERM),
        ALLOW,
        // Sockets that lead past the network namespace (vsock to the hypervisor) or deep into the kernel.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 6),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
        REFUSE(EAFNOSUPPORT),
        ALLOW,
        // Keys pushed into a terminal (TIOCSTI, TIOCLINUX).
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
        LOAD(args[1]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x5412, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x541C, 0, 1),
        REFUSE(EPERM),
        ALLOW,
    };
    const struct sock_fprog program = {sizeof rules / sizeof rules[0], rules};
    STEP("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    STEP("seccomp", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
    return 0;
}

// In the process of a call, after walls_fork(walled). There is no way back from here.
int walls_close(const char* temporary_options) {
    int failed;
    if ((failed = map_user()) != 0) return failed;
    if ((failed = mount_own(temporary_options)) != 0) return failed;
    if ((failed = drop_capabilities()) != 0) return failed;
    return filter_calls();
}
