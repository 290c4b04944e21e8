// SPDX-License-Identifier: MIT
using System.IO;
using System.Reflection;
using UnityEngine;

namespace TickLog.Tests
{
    /// <summary>The samples, called as Unity calls them.</summary>
    internal static class SampleTests
    {
        internal static void Run(string folder)
        {
            Application.persistentDataPath = folder;
            var logger = new MotionLogger();
            Call(logger, "OnEnable");
            for (int step = 0; step < 100; step++)
            {
                logger.transform.position = new Vector3(step, 0, -step);
                Call(logger, "FixedUpdate");
                if (step == 40) Call(logger, "OnCollisionEnter", new Collision { relativeVelocity = new Vector3(0, 3, 4) });
                if (step % 3 == 0) Call(logger, "LateUpdate");
            }
            string path = Debug.last.Substring("logs into ".Length);
            Call(logger, "OnDisable");
            Check.That(!File.Exists(Path.Combine(path, "LOCK")), "the run is closed");
            using (Table table = Table.Open(path))
            {
                Check.Equal("m", table.Columns[table.IndexOf("motion.Position_x")].Unit, "unit");
                Check.Equal("20000000", table.Metadata["tick_ns"], "tick");
            }
            using (Table events = Table.Open(path, new TableOptions { Stream = "hit" }))
            {
                Check.Equal(new[] { 5f }, events.ReadColumn<float>("hit.Speed"), "events");
            }
            var replay = new MotionReplay { Path = path };
            Call(replay, "OnEnable");
            for (int step = 0; step < 200; step++) Call(replay, "FixedUpdate");
            Check.Equal(99f, replay.transform.position.x, "x");
            Check.Equal(-99f, replay.transform.position.z, "z");
        }

        private static void Call(MonoBehaviour behaviour, string name, params object[] arguments)
        {
            MethodInfo method = behaviour.GetType().GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic);
            Check.That(method != null, name);
            method.Invoke(behaviour, arguments);
        }
    }
}
