#pragma once

#include <functional>

namespace meshdns {

/// Hands work to the thread that owns a component, for code on other threads; it runs there later, in order.
/// thread: any
using Post = std::function<void(std::function<void()>)>;

}  // namespace meshdns
