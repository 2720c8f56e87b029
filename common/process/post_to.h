#pragma once

#include <functional>
#include <utility>

#include "common/base/post.h"
#include "common/process/event_loop.h"

namespace meshdns::process {

/// Returns a function that hands work to the loop's thread, for parts that know no loop.
/// thread: any
/// loop: must outlive the function
inline Post post_to(EventLoop& loop) {
  return [&loop](std::function<void()> work) { loop.post(std::move(work)); };
}

}  // namespace meshdns::process
