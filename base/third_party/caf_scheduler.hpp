// What is below CAF's documented API: the interfaces of schedulers and clocks for actors/runtime, and CAF's own
// deterministic ones for sim/world.
#pragma once

#include <caf/detail/simple_actor_clock.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/scheduler/test_coordinator.hpp>
