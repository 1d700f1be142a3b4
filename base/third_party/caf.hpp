// The C++ Actor Framework's core, version 0.17.
#pragma once

#include <caf/all.hpp>
