// A read error of a memory-mapped file is a SIGBUS; an invalid pointer from a damaged page is a SIGSEGV. This turns
// both into a return value: code that accesses a map runs in `run_guarded`; if it faults, the thread jumps out and
// `run_guarded` returns false. Outside of guarded code these signals have their previous effect (the previous handler
// is called, or the process ends).
//
// The jump skips destructors: guarded code must consist of C frames and of C++ frames without objects to destroy. The
// state that it was working on (locks, transactions of the library that owns the map) stays as it was and must never be
// used again. One handler per signal and process, installed by the first `install_map_guard`. Thread-safe; guards do
// not nest.
#pragma once

namespace cairn::storage {

void install_map_guard();

// False if a fault or `leave_guarded` ended `work(context)`. About 10 ns.
[[nodiscard]] bool run_guarded(void (*work)(void*), void* context) noexcept;

// Ends the guarded code of this thread as a fault does. Returns only if no guarded code is running.
void leave_guarded() noexcept;

template <class Work>
[[nodiscard]] bool run_guarded(Work& work) noexcept {
  return run_guarded([](void* w) { (*static_cast<Work*>(w))(); }, &work);
}

} // namespace cairn::storage
