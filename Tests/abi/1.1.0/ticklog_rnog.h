/* ticklog_rnog.h: the data packets of the RNO-G detector, every version, read and written.
 *
 * SPDX-License-Identifier: MIT
 *
 * A file is packets one behind the other, each a record as in ticklog.h, section "Records": magic u16, version u16,
 * payload, Adler-32 of the payload u32. Old versions are read as the newest structure; the newest is written.
 *
 *     size_t needed, at = 0;
 *     ticklog_record packet;
 *     ticklog_rnog_header header;
 *     while (ticklog_rnog_next(bytes + at, count - at, &needed, &packet) == TICKLOG_OK) {
 *         if (packet.magic == TICKLOG_RNOG_HEADER) ticklog_rnog_read_header(&packet, &header);
 *         at += packet.bytes;
 *     }
 *
 * The structures have the bytes of the packets, but for the waveform's: their padding is a part of what the checksum
 * covers, so it has names, is kept when a current packet is read, and zero when an old one is. Words of several values
 * come with macros.
 *
 * The checksum covers neither magic nor version, and some versions differ in nothing that it does cover: daqstatus 0 and
 * 1 (4 and 5 mean the same), waveform 2 and 3. A version that changed into its neighbour cannot be noticed.
 */
#ifndef TICKLOG_RNOG_H
#define TICKLOG_RNOG_H

#include "ticklog.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Magics */
#define TICKLOG_RNOG_HEADER 0xead1u
#define TICKLOG_RNOG_WAVEFORM 0xafd1u
#define TICKLOG_RNOG_PEDESTAL 0x57a1u
#define TICKLOG_RNOG_DAQSTATUS 0xdaccu

/* Versions that are written */
#define TICKLOG_RNOG_HEADER_VERSION 2u
#define TICKLOG_RNOG_WAVEFORM_VERSION 4u
#define TICKLOG_RNOG_PEDESTAL_VERSION 3u
#define TICKLOG_RNOG_DAQSTATUS_VERSION 6u

#define TICKLOG_RNOG_CHANNELS 24
#define TICKLOG_RNOG_LT_CHANNELS 4
#define TICKLOG_RNOG_LT_BEAMS 12
#define TICKLOG_RNOG_SAMPLES 2048      /* of a channel, at most */
#define TICKLOG_RNOG_LT_SAMPLES 512    /* of a low-threshold channel, at most */
#define TICKLOG_RNOG_PEDESTALS 4096    /* of a channel */
#define TICKLOG_RNOG_MAX_BYTES 196640u /* of the largest packet, a pedestal */

/* ------------------------------------------------------------------------------------------------------------------
 * Structures
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct ticklog_rnog_radiant_trigger {
    uint32_t mask_ncoinc; /* bits 0-23 channels, 24-28 coincidences */
    uint8_t window;       /* bits 0-6 */
    uint8_t padding[3];
} ticklog_rnog_radiant_trigger;

#define TICKLOG_RNOG_TRIGGER_MASK(trigger) ((trigger).mask_ncoinc & 0xffffffu)
#define TICKLOG_RNOG_TRIGGER_NCOINC(trigger) ((trigger).mask_ncoinc >> 24 & 0x1fu)
#define TICKLOG_RNOG_TRIGGER_WINDOW(trigger) ((trigger).window & 0x7fu)

/* trigger_type of a header */
#define TICKLOG_RNOG_TRIGGER_SOFT 0x01u
#define TICKLOG_RNOG_TRIGGER_EXT 0x02u
#define TICKLOG_RNOG_TRIGGER_LT_SIMPLE 0x04u
#define TICKLOG_RNOG_TRIGGER_LT_PHASED 0x08u
#define TICKLOG_RNOG_TRIGGER_RADIANT0 0x10u
#define TICKLOG_RNOG_TRIGGER_RADIANT1 0x20u
#define TICKLOG_RNOG_TRIGGER_RADIANTX 0x40u
#define TICKLOG_RNOG_TRIGGER_PPS 0x80u

/* flags of a header */
#define TICKLOG_RNOG_FLAG_PPS_GATE 0x01u
#define TICKLOG_RNOG_FLAG_READOUT_ERROR 0x02u

/* Magic 0xead1, version 2, and 0 (up to lt_nsamples) and 1 (up to radiant_trigger_cfg), of which the rest is 0. */
typedef struct ticklog_rnog_header {
    uint32_t event_number, trigger_number, run_number, trigger_mask, trigger_value;
    uint32_t sys_clk, pps_count;
    uint32_t readout_time_secs, readout_time_nsecs, readout_elapsed_nsecs;
    uint32_t sysclk_last_pps, sysclk_last_last_pps;
    uint32_t raw_tinfo, raw_evstatus;
    uint8_t station_number, trigger_type, flags, pretrigger_windows;
    uint8_t radiant_start_windows[TICKLOG_RNOG_CHANNELS][2];
    uint16_t radiant_nsamples, lt_nsamples;
    uint8_t lt_simple_window;
    uint8_t lt_simple_bits; /* bits 0-2 coincidences, 3 peak-to-peak mode, 4-7 channels */
    uint8_t padding[2];
    ticklog_rnog_radiant_trigger radiant_trigger_cfg[2];
    uint16_t lt_phased_beam_mask, lt_phased_threshold_offset;
} ticklog_rnog_header;

#define TICKLOG_RNOG_LT_NUM_COINC(header) ((header).lt_simple_bits & 7u)
#define TICKLOG_RNOG_LT_VPP_MODE(header) ((header).lt_simple_bits >> 3 & 1u)
#define TICKLOG_RNOG_LT_CHANNEL_MASK(header) ((header).lt_simple_bits >> 4 & 15u)

/* Magic 0xafd1, version 4, and 1 to 3: their sampling rate is 3200 and their delays 0, the station of 1 is 0. In 1 and 2
 * every whole 1024 samples of a channel are stored rotated by 128, and read rotated back; samples behind the last whole
 * 1024 are left as they are. Version 0 is not read (TICKLOG_UNSUPPORTED). Samples behind the first radiant_nsamples and
 * lt_nsamples of a channel are not stored, and read as 0. */
typedef struct ticklog_rnog_waveform {
    uint32_t event_number, run_number;
    uint16_t radiant_nsamples; /* at most TICKLOG_RNOG_SAMPLES */
    uint16_t lt_nsamples;      /* at most TICKLOG_RNOG_LT_SAMPLES */
    int16_t radiant[TICKLOG_RNOG_CHANNELS][TICKLOG_RNOG_SAMPLES];
    uint8_t lt[TICKLOG_RNOG_LT_CHANNELS][TICKLOG_RNOG_LT_SAMPLES];
    uint16_t radiant_sampling_rate; /* MHz */
    uint8_t digitizer_readout_delay[TICKLOG_RNOG_CHANNELS];
    uint8_t station;
    uint8_t padding; /* not stored */
} ticklog_rnog_waveform;

/* Magic 0x57a1, version 3, and 0 to 2: their run is -1, the station of 0 and 1 is 0, both vbias of 0 are -1. */
typedef struct ticklog_rnog_pedestal {
    uint32_t when; /* Unix seconds */
    uint32_t nevents;
    uint8_t mask[3]; /* channels, as 24 bits */
    uint8_t flags;
    int16_t vbias[2];
    uint16_t pedestals[TICKLOG_RNOG_CHANNELS][TICKLOG_RNOG_PEDESTALS];
    uint8_t station;
    uint8_t padding[3];
    int32_t run;
} ticklog_rnog_pedestal;

#define TICKLOG_RNOG_PEDESTAL_MASK(pedestal) \
    ((uint32_t)(pedestal).mask[0] | (uint32_t)(pedestal).mask[1] << 8 | (uint32_t)(pedestal).mask[2] << 16)

typedef struct ticklog_rnog_lt_scaler_group {
    uint16_t trig_coinc, trig_per_chan[TICKLOG_RNOG_LT_CHANNELS];
    uint16_t servo_coinc, servo_per_chan[TICKLOG_RNOG_LT_CHANNELS];
    uint16_t trig_phased, trig_per_beam[TICKLOG_RNOG_LT_BEAMS];
    uint16_t servo_phased, servo_per_beam[TICKLOG_RNOG_LT_BEAMS];
} ticklog_rnog_lt_scaler_group;

typedef struct ticklog_rnog_lt_scalers {
    ticklog_rnog_lt_scaler_group s_1Hz, s_1Hz_gated, s_100Hz;
    uint16_t ncycles[3]; /* 48 bits, least first */
    uint16_t scaler_counter_1Hz;
    uint64_t cycle_counter;
} ticklog_rnog_lt_scalers;

#define TICKLOG_RNOG_NCYCLES(scalers) \
    ((uint64_t)(scalers).ncycles[0] | (uint64_t)(scalers).ncycles[1] << 16 | (uint64_t)(scalers).ncycles[2] << 32)

/* Magic 0xdacc, version 6, and 0 to 5. Those up to 2 have one time, which is when_radiant; 0 counts the scalers' period in
 * another unit, which is put right. The scalers of 2 to 5 have no beams and, where they were written before there was a
 * cycle_counter, not that either: such packets are 8 bytes shorter, and the checksum tells which they are. What a version
 * does not have is 0. */
typedef struct ticklog_rnog_daqstatus {
    double when_radiant, when_lt; /* Unix seconds */
    uint32_t radiant_thresholds[TICKLOG_RNOG_CHANNELS];
    uint16_t radiant_scalers[TICKLOG_RNOG_CHANNELS];
    uint8_t radiant_prescalers[TICKLOG_RNOG_CHANNELS];
    float radiant_scaler_period;
    uint8_t lt_trigger_thresholds[TICKLOG_RNOG_LT_CHANNELS], lt_servo_thresholds[TICKLOG_RNOG_LT_CHANNELS];
    uint16_t lt_phased_trigger_thresholds[TICKLOG_RNOG_LT_BEAMS], lt_phased_servo_thresholds[TICKLOG_RNOG_LT_BEAMS];
    uint16_t lt_phased_threshold_offset;
    uint8_t padding[2];
    ticklog_rnog_lt_scalers lt_scalers;
    uint16_t voltages[5]; /* 1.0 V, 1.8 V, 2.5 V, left monitor, right monitor */
    uint8_t padding2[2];
    uint32_t cal; /* bits 0-11 temperature in 1/16 degrees, signed; 12-13 mode; 14 enabled; 16-21 attenuation in 1/2 dB;
                     22-23 output; 24-31 revision, a character */
    uint8_t station;
    uint8_t padding3[7];
} ticklog_rnog_daqstatus;

#define TICKLOG_RNOG_CAL_T_TIMES_16(status) ((int32_t)((status).cal << 20) >> 20)
#define TICKLOG_RNOG_CAL_MODE(status) ((status).cal >> 12 & 3u)
#define TICKLOG_RNOG_CAL_ENABLED(status) ((status).cal >> 14 & 1u)
#define TICKLOG_RNOG_CAL_ATTEN_TIMES_2(status) ((status).cal >> 16 & 0x3fu)
#define TICKLOG_RNOG_CAL_OUT(status) ((status).cal >> 22 & 3u)
#define TICKLOG_RNOG_CAL_REV(status) ((status).cal >> 24)

/* ------------------------------------------------------------------------------------------------------------------
 * Functions. All are [any], allocate nothing and keep nothing.
 * ------------------------------------------------------------------------------------------------------------------ */

/* "header", "waveform", "pedestal" or "daqstatus"; NULL for another magic. */
const char *ticklog_rnog_name(uint16_t magic);

/* The size of a magic's structure; 0 for another magic. */
size_t ticklog_rnog_size(uint16_t magic);

/* As ticklog_record_next. Errors: NULL, END (at least *needed bytes, at most TICKLOG_RNOG_MAX_BYTES), WRONG_FORMAT,
 * UNSUPPORTED (a version that is not read, waveform 0 among them), DAMAGED (checksum; more samples than a channel has). */
ticklog_status ticklog_rnog_next(const void *bytes, size_t count, size_t *needed, ticklog_record *packet);

/* As ticklog_record_find. Errors: NULL, END. */
ticklog_status ticklog_rnog_find(const void *bytes, size_t count, size_t *skipped, size_t *needed, ticklog_record *packet);

/* Stores a packet that was found as its magic's structure in `out`, of `room` bytes and aligned to 8.
 * Errors: NULL, NO_MEMORY, WRONG_FORMAT (no such magic), BAD_SIZE (not the payload of such a packet). */
ticklog_status ticklog_rnog_read(const ticklog_record *packet, void *out, size_t room);
/* The same of one kind. Errors: also BAD_ARGUMENT (a packet of another kind). */
ticklog_status ticklog_rnog_read_header(const ticklog_record *packet, ticklog_rnog_header *header);
ticklog_status ticklog_rnog_read_waveform(const ticklog_record *packet, ticklog_rnog_waveform *waveform);
ticklog_status ticklog_rnog_read_pedestal(const ticklog_record *packet, ticklog_rnog_pedestal *pedestal);
ticklog_status ticklog_rnog_read_daqstatus(const ticklog_record *packet, ticklog_rnog_daqstatus *daqstatus);

/* Stores a magic's structure as a packet of the current version in `out`, which must not overlap it: *bytes of them, and
 * of a waveform as many as its samples need.
 * Errors: NULL, NO_MEMORY (*bytes tells how many there must be), WRONG_FORMAT, BAD_ARGUMENT (too many samples). */
ticklog_status ticklog_rnog_write(uint16_t magic, const void *record, void *out, size_t room, size_t *bytes);
/* The same of one kind. */
ticklog_status ticklog_rnog_write_header(const ticklog_rnog_header *header, void *out, size_t room, size_t *bytes);
ticklog_status ticklog_rnog_write_waveform(const ticklog_rnog_waveform *waveform, void *out, size_t room, size_t *bytes);
ticklog_status ticklog_rnog_write_pedestal(const ticklog_rnog_pedestal *pedestal, void *out, size_t room, size_t *bytes);
ticklog_status ticklog_rnog_write_daqstatus(const ticklog_rnog_daqstatus *daqstatus, void *out, size_t room, size_t *bytes);

/* ------------------------------------------------------------------------------------------------------------------
 * Layout, on every target
 * ------------------------------------------------------------------------------------------------------------------ */

#define TICKLOG_RNOG_IS_SIZE(T, bytes) typedef char T##_has_##bytes##_bytes[sizeof(T) == (bytes) ? 1 : -1]
#define TICKLOG_RNOG_IS_AT(T, member, at) typedef char T##_##member##_at_##at[offsetof(T, member) == (at) ? 1 : -1]
TICKLOG_RNOG_IS_SIZE(ticklog_rnog_header, 136);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, raw_evstatus, 52);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, station_number, 56);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, radiant_start_windows, 60);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, radiant_nsamples, 108);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, lt_simple_window, 112);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, radiant_trigger_cfg, 116);
TICKLOG_RNOG_IS_AT(ticklog_rnog_header, lt_phased_beam_mask, 132);
TICKLOG_RNOG_IS_SIZE(ticklog_rnog_waveform, 100392);
TICKLOG_RNOG_IS_AT(ticklog_rnog_waveform, radiant, 12);
TICKLOG_RNOG_IS_AT(ticklog_rnog_waveform, lt, 98316);
TICKLOG_RNOG_IS_AT(ticklog_rnog_waveform, radiant_sampling_rate, 100364);
TICKLOG_RNOG_IS_AT(ticklog_rnog_waveform, digitizer_readout_delay, 100366);
TICKLOG_RNOG_IS_AT(ticklog_rnog_waveform, station, 100390);
TICKLOG_RNOG_IS_SIZE(ticklog_rnog_pedestal, 196632);
TICKLOG_RNOG_IS_AT(ticklog_rnog_pedestal, mask, 8);
TICKLOG_RNOG_IS_AT(ticklog_rnog_pedestal, flags, 11);
TICKLOG_RNOG_IS_AT(ticklog_rnog_pedestal, vbias, 12);
TICKLOG_RNOG_IS_AT(ticklog_rnog_pedestal, pedestals, 16);
TICKLOG_RNOG_IS_AT(ticklog_rnog_pedestal, station, 196624);
TICKLOG_RNOG_IS_AT(ticklog_rnog_pedestal, run, 196628);
TICKLOG_RNOG_IS_SIZE(ticklog_rnog_lt_scaler_group, 72);
TICKLOG_RNOG_IS_SIZE(ticklog_rnog_lt_scalers, 232);
TICKLOG_RNOG_IS_AT(ticklog_rnog_lt_scalers, ncycles, 216);
TICKLOG_RNOG_IS_AT(ticklog_rnog_lt_scalers, cycle_counter, 224);
TICKLOG_RNOG_IS_SIZE(ticklog_rnog_daqstatus, 504);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, radiant_thresholds, 16);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, radiant_scalers, 112);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, radiant_prescalers, 160);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, radiant_scaler_period, 184);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, lt_trigger_thresholds, 188);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, lt_phased_trigger_thresholds, 196);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, lt_phased_threshold_offset, 244);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, lt_scalers, 248);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, voltages, 480);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, cal, 492);
TICKLOG_RNOG_IS_AT(ticklog_rnog_daqstatus, station, 496);

#ifdef __cplusplus
}
#endif

#endif /* TICKLOG_RNOG_H */
