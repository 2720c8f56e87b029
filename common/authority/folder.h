#pragma once

#include <cstdint>
#include <string>

#include "common/authority/authority.h"
#include "common/base/result.h"

// The folder of an authority: ca.pem and ca.key. The folder has mode 0700 and the key 0600. While the authority is
// exchanged, the key of the old one is in old.key, in case that the exchange has to be given up by hand.
//
// Each file is replaced as a whole. A crash between two files leaves a folder that can be used: the authority whose key
// is in ca.key signs, and ca.pem has its certificate at any time.
namespace meshdns::authority {

/// The paths of an authority's files.
struct Files {
  explicit Files(const std::string& folder);

  std::string certificates, key, old_key;
};

/// Writes a new authority. Creates the folder if it is missing.
/// errors: AlreadyExists: there is an authority in the folder. PermissionDenied: the folder is not this user's own, or
///         open to others. Unavailable: a file cannot be written
Result<void> create_folder(const std::string& folder, const Authority& authority);

/// Reads an authority.
/// errors: NotFound: there is none in the folder. PermissionDenied: the folder is not this user's own, or open to others.
///         Unavailable: a file cannot be read
Result<Authority> read_folder(const std::string& folder);

/// Everything that the folder of an authority holds.
struct Content {
  Authority authority;
  std::string old_key;  // while the authority is exchanged; empty = there is none

  friend bool operator==(const Content& a, const Content& b) {
    return a.authority.certificates == b.authority.certificates && a.authority.key == b.authority.key &&
           a.old_key == b.old_key;
  }
};

/// Reads the whole folder.
/// errors: as for read_folder()
Result<Content> read_content(const std::string& folder);

/// Makes the folder hold exactly this. Creates it if it is missing.
/// errors: PermissionDenied: the folder is not this user's own, or open to others. Unavailable: a file cannot be written
Result<void> write_content(const std::string& folder, const Content& content);

/// Reads the authority that everybody knows: while the authority is exchanged, the old one, because those who have not
/// renewed their certificate yet trust no other. Once the old one has expired, or its key is gone, it is the new one.
/// errors: as for read_folder()
Result<Authority> read_known_folder(const std::string& folder, std::int64_t unix_seconds);

/// Replaces an authority by the one that rotated() has made of it.
/// errors: Unavailable: a file cannot be written
Result<void> write_rotated(const std::string& folder, const Authority& old, const Authority& next);

/// Ends the trust in the old authority: ca.pem becomes the certificate of the one that signs, and old.key is removed.
/// errors: FailedPrecondition: only one authority is trusted. InvalidArgument: as for signing_certificate().
///         Unavailable: a file cannot be written
Result<void> finish_rotation(const std::string& folder);

}  // namespace meshdns::authority
