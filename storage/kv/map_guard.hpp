// A read error below a memory map arrives as SIGBUS, a step that a damaged page leads astray as SIGSEGV. This turns
// both into a return value: code that touches a map runs in `run_guarded`; when it faults there, the thread jumps out
// and `run_guarded` answers false. Elsewhere these signals do what they did before (the previous handler is called, or
// the process ends).
//
// The jump skips destructors: guarded code must consist of C frames and of C++ without anything to destroy. What it was
// working on (locks, transactions of the library that owns the map) is left as it was and must never be touched again.
// One handler a signal and process, installed by the first `install_map_guard`. Thread-safe; guards do not nest.
#pragma once

namespace cairn::storage {

void install_map_guard();

// False when `work(context)` was left by a fault or by `leave_guarded`. About 10 ns.
[[nodiscard]] bool run_guarded(void (*work)(void*), void* context) noexcept;

// Ends the guarded code of this thread as a fault would. Returns when no guarded code is running.
void leave_guarded() noexcept;

template <class Work>
[[nodiscard]] bool run_guarded(Work& work) noexcept {
  return run_guarded([](void* w) { (*static_cast<Work*>(w))(); }, &work);
}

} // namespace cairn::storage
