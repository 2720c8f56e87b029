#pragma once

namespace meshdns::kubernetes {

// Status codes of HTTP as the API server uses them. Some also come within a watch.
// source: RFC 9110 15; RFC 4918 11.2 (422)

inline constexpr int kOk = 200;
inline constexpr int kCreated = 201;
inline constexpr int kUnauthorized = 401;
inline constexpr int kForbidden = 403;
inline constexpr int kNotFound = 404;
inline constexpr int kConflict = 409;
inline constexpr int kGone = 410;
inline constexpr int kUnprocessable = 422;
inline constexpr int kInternalError = 500;
inline constexpr int kTimeout = 504;

}  // namespace meshdns::kubernetes
