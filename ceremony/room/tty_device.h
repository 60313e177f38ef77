// TtyDevice is the terminal as a device: its modes, the bytes that are typed,
// the bytes that are shown.
//
// While it lives, echo is off outside a question, so that keys pressed during a
// long call neither garble the transcript nor answer the next question; the
// modes that were found are put back by the destructor, and by SignalScope when
// a signal kills the program.
#ifndef CEREMONY_ROOM_TTY_DEVICE_H_
#define CEREMONY_ROOM_TTY_DEVICE_H_

#include <termios.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "hsm/base/file.h"
#include "hsm/base/result.h"

namespace ceremony::room {

// EndOfInput is the kAborted error of Ctrl-D at a question.
base::Error EndOfInput();

class TtyDevice final {
 public:
  enum class Mode : std::uint8_t {
    kQuiet,   // nothing is echoed; what is typed will be thrown away
    kLine,    // a line with echo and the usual editing keys
    kSecret,  // byte by byte, no echo, no editing by the kernel
  };

  // CheckThatPeopleCanType fails with kInvalidInput when standard input is not a terminal:
  // consent is typed, never piped.
  static base::Result<void> CheckThatPeopleCanType();

  // Open takes the terminal on standard input. Fails as CheckThatPeopleCanType does.
  static base::Result<TtyDevice> Open();
  // Adopt takes an open terminal.
  static base::Result<TtyDevice> Adopt(base::FileDescriptor terminal);

  ~TtyDevice();
  TtyDevice(TtyDevice&& other) noexcept = default;
  TtyDevice& operator=(TtyDevice&&) = delete;
  TtyDevice(const TtyDevice&) = delete;  // one owner of the modes

  int fd() const { return terminal_.get(); }

  // Enter changes the mode and throws away what was typed before: only what is
  // typed after a question was shown can answer it.
  void Enter(Mode mode);

  // ReadLine returns a typed line without its end. kAborted on a signal, end of
  // input (Ctrl-D on an empty line), or when the terminal is gone.
  base::Result<std::string> ReadLine();
  // ReadByte returns the next byte, straight from the kernel into the caller's hands. Errors as ReadLine.
  base::Result<std::uint8_t> ReadByte();

  // Write shows bytes. A terminal that is gone turns into a request to stop
  // (SIGHUP), which the next question and the runner see.
  void Write(std::string_view bytes);

 private:
  TtyDevice(base::FileDescriptor terminal, const termios& found);
  // WaitForInput returns when a byte can be read, and kAborted when a stop was requested.
  base::Result<void> WaitForInput() const;

  base::FileDescriptor terminal_;
  termios found_;
  std::string pending_;  // bytes of the next line that arrived with this one
};

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_TTY_DEVICE_H_
