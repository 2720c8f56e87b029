#pragma once

namespace meshdns {

/// One function object of several lambdas, for std::visit: Overloaded{[](int) {...}, [](const auto&) {...}}.
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace meshdns
