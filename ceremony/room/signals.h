// Signals: how a ceremony is stopped from outside, at a point of its choosing.
//
// SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal was closed) ask it to stop.
// At a question the question ends with kAborted. In a PKCS#11 call the request
// is remembered, the call is finished and recorded, and the runner, which asks
// StopRequested between steps, stops then: a call that is cut off leaves half
// an object on a token. SIGQUIT (Ctrl-\) ends the program at once, as a power cut
// would, for a token that never answers; `resume` settles what happened.
// SIGPIPE is ignored: a module behind p11-kit remoting loses its peer that way.
#ifndef CEREMONY_ROOM_SIGNALS_H_
#define CEREMONY_ROOM_SIGNALS_H_

#include <signal.h>
#include <termios.h>

#include <array>
#include <string>

#include "hsm/base/result.h"

namespace ceremony::room {

// SignalScope catches the signals for as long as it lives, then puts back what
// was there before. One at a time in a process, made by the main thread before
// any other thread. SIGHUP stays ignored where it was (nohup).
class SignalScope final {
 public:
  SignalScope();
  ~SignalScope();
  SignalScope(const SignalScope&) = delete;  // signal handlers belong to the process
  SignalScope& operator=(const SignalScope&) = delete;

 private:
  struct Caught {
    int number;
    struct sigaction before;
  };
  std::array<Caught, 10> caught_;
};

// StopRequested says whether a signal has asked the ceremony to stop. It costs one load.
bool StopRequested();

// RequestStop does what the signal would do: for the terminal that finds itself closed (SIGHUP), and for tests.
void RequestStop(int signal_number);

// ForgetStop takes the request back: for tests.
void ForgetStop();

// StopWakeFd is readable once a stop was requested; -1 without a SignalScope.
int StopWakeFd();

// StopError is the kAborted error of a stop that was requested. It names the
// signal and `where` ("at a question", "between two steps"). The command adds
// what was stopped, and how to go on with it.
base::Error StopError(const std::string& where);

// RestoreTerminalOnDeath names the terminal modes that a signal that kills the
// program (SIGQUIT, SIGABRT, SIGSEGV, ...) puts back first, so that no shell is
// left without echo. Needs a SignalScope. ForgetTerminal ends it.
void RestoreTerminalOnDeath(int fd, const termios& modes);
void ForgetTerminal();

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_SIGNALS_H_
