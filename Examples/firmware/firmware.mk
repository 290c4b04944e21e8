# Included by the Makefile of an example, which sets NAME, CORE and SOURCES. Needs arm-none-eabi-gcc and a release bundle,
# nothing else: no Swift, no network.
#
#   make BUNDLE=PATH             build/NAME-CORE-BOARD-LIBC.elf. BUNDLE holds lib/ and include/; an example in a bundle knows its own
#   make LIBC=picolibc           the C library: newlib, or picolibc
#   make BOARD=mps2              the linker script: the chip's, or that of QEMU's MPS2 boards
#   make run ARGUMENTS="..."     runs it under QEMU, in RUN_IN (default: where make was called). The files of the run are the
#                                host's; without a debugger a chip has no semihosting (docs/PORTING.md)
here := $(dir $(lastword $(MAKEFILE_LIST)))
examples := $(here)..
BUNDLE ?= $(examples)/..
LIBC ?= newlib
OUT ?= build
# Virtual time follows instructions, 125 of them a microsecond, and nothing else: a run is the same each time.
ICOUNT ?= shift=3,sleep=off
RUN_IN ?= .
CC := arm-none-eabi-gcc

machine_m4f := -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard
machine_m7f := -mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard
script_mps2 := $(examples)/firmware/mps2.ld
script_stm32f4 := $(examples)/stm32f4/stm32f4.ld
script_stm32f7 := $(examples)/stm32f7/stm32f7.ld
hertz_mps2 := 25000000u
hertz_stm32f4 := 168000000u
hertz_stm32f7 := 216000000u
qemu_m4f_mps2 := mps2-an386
qemu_m4f_stm32f4 := netduinoplus2
qemu_m7f_mps2 := mps2-an500
# start.c replaces the C library's start-up, and the linker script picolibc's own. nosys: nothing here calls the system.
specs_newlib := --specs=nosys.specs
specs_picolibc := --specs=picolibc.specs

elf := $(OUT)/$(NAME)-$(CORE)-$(BOARD)-$(LIBC).elf
library := $(BUNDLE)/lib/cortex-$(CORE)/libticklog.a
sources := $(SOURCES) $(examples)/firmware/start.c
flags := $(machine_$(CORE)) $(specs_$(LIBC)) -std=c11 -O2 -g -Wall -Wextra -Wpedantic -Werror -ffunction-sections -fdata-sections \
  -DCORE_HZ=$(hertz_$(BOARD)) -I $(BUNDLE)/include -I $(examples)/firmware -I $(examples)/storage $(CFLAGS)

all: $(elf)
$(elf): $(sources) $(library) $(MAKEFILE_LIST)
	@mkdir -p $(OUT)
	$(if $(script_$(BOARD)),,$(error BOARD=$(BOARD): mps2, stm32f4 or stm32f7))$(if $(specs_$(LIBC)),,$(error LIBC=$(LIBC): newlib or picolibc))
	$(CC) $(flags) $(sources) $(library) -nostartfiles -L $(examples)/firmware -T $(script_$(BOARD)) -Wl,--gc-sections \
	  -Wl,--no-warn-execstack -Wl,-Map=$(elf).map -o $@
	@arm-none-eabi-size $@

run: $(elf)
	$(if $(qemu_$(CORE)_$(BOARD)),,$(error QEMU has no $(BOARD); BOARD=mps2))
	cd $(RUN_IN) && timeout $(or $(TIME_LIMIT),120) qemu-system-arm -M $(qemu_$(CORE)_$(BOARD)) -display none -monitor none -serial none \
	  -icount $(ICOUNT) -chardev stdio,id=console,signal=on -semihosting-config enable=on,target=native,chardev=console,$(arguments) \
	  -kernel $(abspath $(elf)) </dev/null
comma := ,
empty :=
arguments = $(subst $(empty) $(empty),,arg=$(NAME) $(foreach word,$(ARGUMENTS),$(comma)arg=$(word)))

clean: ; rm -rf $(OUT)
.PHONY: all run clean
