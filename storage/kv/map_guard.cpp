#include "storage/kv/map_guard.hpp"

#include "base/error.hpp"

#include <csetjmp>
#include <csignal>
#include <mutex>
#include <ucontext.h>

namespace cairn::storage {

namespace {

constinit thread_local sigjmp_buf* active_guard = nullptr;
struct sigaction previous_bus, previous_segv;

void jump_out() noexcept {
  sigjmp_buf* const target = active_guard;
  active_guard = nullptr;
  siglongjmp(*target, 1);
}

void call_previous(int signal, siginfo_t* info, void* context) {
  const struct sigaction& previous_action = signal == SIGBUS ? previous_bus : previous_segv;
  const bool sent_by_a_process = info->si_code <= 0;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler == SIG_IGN && sent_by_a_process) {
    return;
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    // A fault cannot be ignored: with the default action it repeats and ends the process with a core dump.
    ::signal(signal, SIG_DFL);
    if (sent_by_a_process) ::raise(signal);
  } else {
    previous_action.sa_handler(signal);
  }
}

// The kernel sends BUS_ADRERR when a page of a map cannot be read or is beyond the end of the file. A pointer from a
// damaged page may refer to an unmapped address (SEGV_MAPERR, or SI_KERNEL if it is not canonical), to read-only memory
// (SEGV_ACCERR) or to a misaligned address. Memory errors (BUS_MCEERR_*) and signals sent by a process are not handled
// here.
bool is_of_a_map(int signal, int code) {
  if (signal == SIGBUS) return code == BUS_ADRERR || code == BUS_ADRALN;
  return code == SEGV_MAPERR || code == SEGV_ACCERR || code == SI_KERNEL;
}

void on_fault(int signal, siginfo_t* info, void* context) {
  if (active_guard != nullptr && is_of_a_map(signal, info->si_code)) {
    // The jump does not return from the handler, so the signal mask must be restored here (letting sigsetjmp save it
    // would cost a system call per guard).
    ::pthread_sigmask(SIG_SETMASK, &static_cast<const ucontext_t*>(context)->uc_sigmask, nullptr);
    jump_out();
  }
  call_previous(signal, info, context);
}

} // namespace

void install_map_guard() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    const int bus_failed = ::sigaction(SIGBUS, &action, &previous_bus);
    const int segv_failed = ::sigaction(SIGSEGV, &action, &previous_segv);
    CAIRN_ASSERT(bus_failed == 0 && segv_failed == 0);
  });
}

bool run_guarded(void (*work)(void*), void* context) noexcept {
  CAIRN_ASSERT(active_guard == nullptr);
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) return false;
  active_guard = &here;
  work(context);
  active_guard = nullptr;
  return true;
}

void leave_guarded() noexcept {
  if (active_guard != nullptr) jump_out();
}

} // namespace cairn::storage
