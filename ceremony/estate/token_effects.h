// Effects on tokens, except that one goes into service: see effect.h. Times are RFC
// 3339, UTC. Fields that become known only when a step runs are empty while it is
// planned.
#ifndef CEREMONY_ESTATE_TOKEN_EFFECTS_H_
#define CEREMONY_ESTATE_TOKEN_EFFECTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::estate {

// A token was registered: it was ordered, or facts that it cannot report itself became
// known. An empty field changes nothing of a token that is registered already.
struct TokenRegistered {
  static constexpr std::string_view kName = "token-registered";
  std::string token;
  std::string manufacturer;
  std::string model;
  std::string serial;  // as the maker writes it
  std::string fips;    // number of its FIPS 140 certificate
  std::string role;    // "live", "backup", "audit"
  std::string domain;  // PKI domain
  std::string site;    // where it is; empty if unknown
  std::string order;   // the order or asset number
};

// A token was compared with the estate and agreed with it.
struct TokenVerified {
  static constexpr std::string_view kName = "token-verified";
  std::string token;
  std::string serial;
  std::string firmware;
  std::string module;  // name that the module reports
  std::string module_version;
  std::string module_sha256;  // of the shared object, hex
  std::string inventory;      // digest of everything on it, hex
  std::int64_t objects = 0;
};

// Seals were put on a token or its packaging, and taken off.
struct SealsChanged {
  static constexpr std::string_view kName = "seals-changed";
  std::string token;
  std::vector<std::string> applied;  // numbers; empty while only planned
  std::vector<std::string> removed;
  std::string reason;
};

// A token left, was handed over, or arrived.
struct TokenMoved {
  static constexpr std::string_view kName = "token-moved";
  std::string token;
  std::string serial;
  std::string phase;                // "departed", "handed-over", "arrived"
  std::string place;                // where this happened: a site, or a carrier's depot
  std::string to;                   // "departed", "handed-over": where the leg ends
  std::string carrier;              // of the leg that begins; empty for "arrived"
  std::vector<std::string> escort;  // who travels with it, as typed
  std::string reference;            // consignment note; may be empty
  std::vector<std::string> seals;   // read at this moment
  std::string at;
};

// A token went out of use for good, with everything on it.
struct TokenRetired {
  static constexpr std::string_view kName = "token-retired";
  std::string token;
  std::string serial;
  std::string method;    // "zeroised": C_InitToken, and shown empty; "evidence": by the document
  std::string evidence;  // SHA-256 of that document, hex; or empty
  std::string reason;
  std::string on;  // the day, "2026-11-21"
};

// The firmware of a token, or its module, was replaced. Every key on it was shown to
// have survived.
struct FirmwareChanged {
  static constexpr std::string_view kName = "firmware-changed";
  std::string token;
  std::string serial;
  std::string before;  // firmware
  std::string after;
  std::string fips;  // of the new firmware; empty: as before
  std::string module;
  std::string module_version;
  std::string module_sha256;
  std::string inventory_before;
  std::string inventory_after;
  std::vector<std::string> survived;  // names of keys
};

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_TOKEN_EFFECTS_H_
